import { hotfixLines } from "../../core/decision/hotfix-text.ts";
import { knownLevel } from "../../core/impact/worst-first.ts";
import type { CaseFile } from "../../core/model/assessment.ts";
import { isCompared, notComparedText } from "../../core/model/candidate.ts";
import { changeName } from "../../core/model/change-name.ts";
import { fencedIncident } from "../../core/model/fenced-incident.ts";
import type { Incident } from "../../core/model/incident.ts";
import { likelihood } from "../../core/model/likelihood.ts";
import { rfc3339 } from "../../core/model/time.ts";
import { noChangeText } from "../../core/model/unheard.ts";
import { type Composition, EXIT, type ExitCode } from "./composition.ts";
import { type JsonOption, present } from "./output.ts";
import { decisionWords } from "./words.ts";

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
  toEpisode: (incident: Incident, caseFile: CaseFile) => unknown,
  abort: AbortSignal,
): Promise<ExitCode> {
  const { incident, caseFile, steps } = await to.investigate(options, options, abort);
  const words = [
    ...conclusion(fencedIncident(incident).incident),
    "",
    "How it came to that:",
    ...steps.map((step) => `  ${step}`),
  ];
  await present(to, options.json, toEpisode(incident, caseFile), words);
  return EXIT.ok;
}

const SUSPECTS_SHOWN = 5;

/** The answer first, then why, then who else it could be, then what nobody could check. */
function conclusion(incident: Incident): readonly string[] {
  const { decision, ranking, impact, onset, affectedServices, unverified, unheard, changes } = incident;
  if (decision === null) return ["No decision: there was nothing to judge."];
  const { why, needsPerson, hotfix } = decision;
  const suspects = (ranking?.candidates ?? []).slice(0, SUSPECTS_SHOWN);
  return [
    `Decision: ${decisionWords(incident)}. Nothing was executed.`,
    ...list("Because", why),
    ...list("Needs a person", needsPerson),
    ...list("For whoever fixes it", hotfix === null ? [] : hotfixLines(hotfix)),
    ...list("Suspects", [
      ...suspects.map(
        ({ changeId, probability }) => `${changeName(changeId, changes)}: ${likelihood(probability)} (${changeId})`,
      ),
      ...(ranking === null || !isCompared(ranking)
        ? [notComparedText(ranking) ?? []].flat()
        : [`${noChangeText(unheard)} is the culprit: ${likelihood(ranking.noChangeProbability)}`]),
    ]),
    ...list("Affected", [
      ...(onset === null ? [] : [`since ${rfc3339(onset.at)}`]),
      ...(affectedServices.length === 0 ? [] : [affectedServices.join(", ")]),
      ...(impact === null ? [] : [`impact ${knownLevel(incident)}`, ...impact.sentences]),
    ]),
    ...list("Not checked", unverified),
  ];
}

function list(title: string, items: readonly string[]): readonly string[] {
  return items.length === 0 ? [] : [`${title}:`, ...items.map((item) => `  - ${item}`)];
}
