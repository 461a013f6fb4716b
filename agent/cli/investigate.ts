import type { Incident } from "../../core/model/incident.ts";
import { rfc3339 } from "../../core/model/time.ts";
import { type Composition, EXIT, type ExitCode } from "./composition.ts";
import { type JsonOption, present } from "./output.ts";

export interface InvestigateOptions {
  readonly config?: string;
  readonly json?: JsonOption;
  readonly service?: string;
  readonly metric?: string;
  readonly at?: number;
  readonly bundle?: string;
}

/** `unship investigate`: runs the chain once, live or on a bundle, and prints the reasoning. It executes nothing. */
export async function investigate(
  to: Composition,
  options: InvestigateOptions,
  toEpisode: (incident: Incident) => unknown,
  abort: AbortSignal,
): Promise<ExitCode> {
  const { config } = await to.config(options);
  const { incident, steps } = await to.investigate(config, options, abort);
  await present(to, options.json, toEpisode(incident), [...steps, "", ...conclusion(incident)]);
  return EXIT.ok;
}

function conclusion(incident: Incident): readonly string[] {
  const { decision, ranking, impact } = incident;
  if (decision === null) return ["No decision: there was nothing to judge."];
  return [
    `Decision: ${decision.action}${decision.culprit === null ? "" : ` (${decision.culprit.changeId}, ${(decision.culprit.probability * 100).toFixed(1)} %)`}`,
    ...decision.why.map((why) => `  because ${why}`),
    ...decision.needsPerson.map((why) => `  needs a person: ${why}`),
    ...(ranking === null ? [] : [`  "no change is to blame": ${(ranking.noChangeProbability * 100).toFixed(1)} %`]),
    ...(impact === null ? [] : [`  impact: ${impact.level}. ${impact.sentences.join(" ")}`]),
    ...(incident.onset === null ? [] : [`  onset: ${rfc3339(incident.onset.at)}`]),
    ...incident.unverified.map((what) => `  not verified: ${what}`),
  ];
}
