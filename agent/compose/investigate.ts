import { assess, createAssessor, episodes } from "../../core/assessment/assessor.ts";
import type { Config } from "../../core/config/config.ts";
import { UnshipError } from "../../core/errors.ts";
import type { Clock, Sources } from "../../core/ports.ts";
import type { Investigation } from "../cli/composition.ts";
import { openIncident } from "../watch/incident-state.ts";
import { reasonOver } from "./chain.ts";
import { ephemeralGate, ephemeralLedger } from "./ephemeral.ts";
import { answerText } from "./step-words.ts";

export interface InvestigateParts {
  readonly version: string;
  readonly config: Config;
  readonly clock: Clock;
  readonly sources: Sources;
  readonly observe: (now: number, abort: AbortSignal) => Promise<void>;
  readonly ask: { readonly service?: string; readonly metric?: string };
}

/** Looks once, runs the chain over what is there, and gives back an incident that nobody opened. Executes nothing. */
export async function investigateOnce(parts: InvestigateParts, abort: AbortSignal): Promise<Investigation> {
  const { config, clock, sources, ask } = parts;
  const now = clock.now();
  await parts.observe(now, abort);
  const caseFile = await createAssessor({ sources, config }).gather(now, abort);
  const known = [...new Set(caseFile.series.map(({ service }) => service))].sort();
  if (ask.service !== undefined && !known.includes(ask.service)) {
    throw new UnshipError("service.unknown", { service: ask.service, known: known.join(", ") || "none" });
  }
  const metrics = [...new Set(caseFile.series.map(({ metric }) => metric))].sort();
  if (ask.metric !== undefined && !metrics.includes(ask.metric)) {
    throw new UnshipError("metric.unknown", { metric: ask.metric, known: metrics.join(", ") || "none" });
  }
  const focus = ask.service === undefined ? episodes(caseFile)[0] : [ask.service];
  const assessment = assess(caseFile, config, focus);
  const incident = openIncident("investigation", assessment);
  await using ledger = await ephemeralLedger();
  const result = await reasonOver(
    { ...parts, ledger: ledger.ledger, store: null, gate: ephemeralGate },
    undefined,
    caseFile,
  );
  const steps = result.deterministic.steps.flatMap(({ step, outcome, because, calls, lacks }) => [
    `${step}: ${answerText(step, result.answers) ?? outcome}${because === null ? "" : ` (${because})`} [${calls.map(({ tool }) => tool).join(", ") || "nothing asked"}]`,
    ...lacks.map((lack) => `  lacks ${lack}`),
  ]);
  return {
    incident: {
      ...incident,
      usage: result.usage,
      timeline: [{ at: now, event: `decided: ${assessment.decision.action}`, detail: "" }],
    },
    caseFile,
    steps,
  };
}
