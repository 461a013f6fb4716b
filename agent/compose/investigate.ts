import { assess, createAssessor, episodes } from "../../core/assessment/assessor.ts";
import { gatherPointedAt } from "../../core/assessment/point-at.ts";
import type { Config } from "../../core/config/config.ts";
import { UnshipError } from "../../core/errors.ts";
import type { CaseFile, Gap } from "../../core/model/assessment.ts";
import type { Clock, Sources } from "../../core/ports.ts";
import { refuseUnknownService, servicesOf } from "../../mcp-tools/known-service.ts";
import type { Investigation } from "../cli/composition.ts";
import type { BudgetedModel } from "../models/budget.ts";
import { openIncident } from "../watch/incident-state.ts";
import { reasonOver } from "./chain.ts";
import { ephemeralGate, ephemeralLedger } from "./ephemeral.ts";
import { NO_PAST, type Past } from "./past.ts";
import { createSilences } from "./silences.ts";
import { answerText } from "./step-words.ts";

export interface InvestigateParts {
  readonly version: string;
  readonly config: Config;
  readonly clock: Clock;
  readonly sources: Sources;
  readonly observe: (now: number, abort: AbortSignal) => Promise<void>;
  /** What the look could not see and what sources left out of their answers; absent: nothing can be. */
  readonly gaps?: () => readonly Gap[];
  readonly ask: { readonly service?: string; readonly metric?: string };
  /** What earlier incidents say of changes and versions; absent: no ledger is there to ask. */
  readonly past?: Past;
  /** A language model beside the core; absent: none. */
  readonly model?: () => Promise<BudgetedModel>;
}

/** Looks once, runs the chain over what is there, and gives back an incident that nobody opened. Executes nothing. */
export async function investigateOnce(parts: InvestigateParts, abort: AbortSignal): Promise<Investigation> {
  const { config, clock, ask } = parts;
  const now = clock.now();
  await parts.observe(now, abort);
  const read = await lookAt(parts, now, abort);
  const caseFile = { ...read, gaps: createSilences()([...read.gaps, ...(parts.gaps?.() ?? [])], now) };
  const focus = ask.service === undefined ? troubleOf(caseFile, ask.metric) : [ask.service];
  const past = parts.past ?? NO_PAST;
  const assessment = assess(caseFile, config, focus, past);
  const incident = openIncident("investigation", assessment);
  await using ledger = await ephemeralLedger();
  // The tools answer for the services of an incident that the ledger knows.
  if (focus !== undefined) await ledger.ledger.saveIncident(incident);
  const result = await reasonOver(
    { ...parts, past, ledger: ledger.ledger, store: null, gate: ephemeralGate },
    focus === undefined ? undefined : incident.id,
    caseFile,
  );
  const steps = result.deterministic.steps.flatMap(({ step, outcome, because, calls, lacks }) => [
    `${step}: ${answerText(step, result.answers, { changes: caseFile.changes, unheard: assessment.unheard }) ?? outcome}${because === null ? "" : ` (${because})`} [${calls.map(({ tool }) => tool).join(", ") || "nothing asked"}]`,
    ...lacks.map((lack) => `  lacks ${lack}`),
  ]);
  const model = (result.model?.steps ?? []).map(
    ({ step, by, outcome, because }) => `${by} on ${step}: ${outcome}${because === null ? "" : ` (${because})`}`,
  );
  const opinions = result.model === null ? [] : (result.settled?.opinions ?? []);
  return {
    incident: {
      ...incident,
      usage: result.usage,
      timeline: [{ at: now, event: `decided: ${assessment.decision.action}`, detail: "" }],
    },
    caseFile,
    steps: [...steps, ...model, ...opinions],
  };
}

/** The first trouble that shows in this metric; in any, where none is named or none shows there. */
function troubleOf(caseFile: CaseFile, metric: string | undefined): readonly string[] | undefined {
  const groups = episodes(caseFile);
  const shows = (service: string) =>
    caseFile.findings.some((one) => one.verdict === "worse" && one.metric === metric && one.service === service);
  return groups.find((group) => metric !== undefined && group.some(shows)) ?? groups[0];
}

/** Everything, or everything about what somebody points at. Throws "service.unknown" for what neither the file nor any source names, and "metric.unknown". */
async function lookAt({ config, sources, ask }: InvestigateParts, now: number, abort: AbortSignal): Promise<CaseFile> {
  const { service, metric } = ask;
  if (service === undefined) {
    const all = await createAssessor({ sources, config }).gather(now, abort);
    refuseUnknownMetric(metric, metric ?? "", all.series, sources);
    return all;
  }
  const symptom = { service, ...(metric === undefined ? {} : { metric }) };
  const caseFile = await gatherPointedAt({ sources, config }, symptom, now, abort);
  refuseUnknownService(service, servicesOf(caseFile, config));
  const own = caseFile.series.filter((series) => series.service === service);
  refuseUnknownMetric(metric, `${metric} of ${service}`, own, sources);
  return caseFile;
}

/**
 * Throws "metric.unknown" for a metric that is not among what is measured. Where nothing is measured yet, whatever a
 * source is asked for may come, and is not called unknown. `called`: how the message names it.
 */
function refuseUnknownMetric(
  metric: string | undefined,
  called: string,
  series: CaseFile["series"],
  { metrics }: Sources,
): void {
  if (metric === undefined) return;
  const measured = series.map((one) => one.metric);
  const known = new Set(measured.length > 0 ? measured : metrics.flatMap((source) => [...source.metrics()]));
  if (known.size === 0 || known.has(metric)) return;
  throw new UnshipError("metric.unknown", { metric: called, known: [...known].sort().join(", ") || "none" });
}
