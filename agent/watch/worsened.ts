import { AS_MUCH_AGAIN } from "../../core/assessment/grown.ts";
import { createCallGraph } from "../../core/correlation/call-graph.ts";
import { isHarm } from "../../core/detection/meaning.ts";
import { ENOUGH_SAMPLES } from "../../core/guardrails/recovery-statistics.ts";
import type { CaseFile } from "../../core/model/assessment.ts";
import { deedTime, writtenTargets } from "../../core/model/deed.ts";
import type { Finding } from "../../core/model/finding.ts";
import type { Incident, Recovery } from "../../core/model/incident.ts";
import { durationText } from "../../core/model/time.ts";
import { active, servicesOf, worse } from "./incident-state.ts";

/** A signal that is worse since an act than it was before it. */
export interface Worsened {
  readonly service: string;
  readonly metric: string;
  /** Since when, Unix ms. */
  readonly since: number;
  readonly because: string;
}

/**
 * Signals of the services that were taken back, and of those that the incident speaks of and that call them, which are
 * worse since the act: found wrong with an onset after it and not wrong before it, or at least twice as far off as the
 * trouble was, in each of the newest samples that verification would ask for. What was taken back may have been cured by
 * it all the same; the act did harm of its own, or something else did meanwhile, and nobody may call that recovered. Pure.
 */
export function worsened(incident: Incident, caseFile: CaseFile): readonly Worsened[] {
  const { gate } = incident;
  // What began while nobody saw whether the act was done yet is not known to have begun after it.
  const executedAt = deedTime(incident)?.latest ?? null;
  if (gate === null || executedAt === null) return [];
  const targets = new Set(writtenTargets(incident).map(({ service }) => service));
  const graph = createCallGraph(caseFile.topology);
  const callers = new Set([...targets].flatMap((service) => [...graph.ancestors(service)]));
  const left = new Set(incident.superseded?.map(({ service }) => service));
  const own = new Set(servicesOf(incident));
  const isMeant = (service: string) =>
    !left.has(service) && (targets.has(service) || (own.has(service) && (!graph.known || callers.has(service))));
  const before = worse(incident.findings).filter(isWhole);
  const wasFiring = active(incident.conditions);
  const wasWrong = ({ service, metric }: Finding) =>
    [...before, ...wasFiring].some((one) => one.service === service && one.metric === metric);
  const began = worse(caseFile.findings).flatMap((finding): readonly Worsened[] => {
    const { service, metric, onset, because } = finding;
    const isNew = isWhole(finding) && onset !== null && onset.earliest >= executedAt && !wasWrong(finding);
    return isNew && isMeant(service) && isHarmful(service, metric, caseFile) && !isBack(finding, caseFile)
      ? [{ service, metric, since: onset.at, because: `wrong since the act, and not before it: ${because}` }]
      : [];
  });
  const grown = before.flatMap((finding) =>
    isMeant(finding.service) ? asMuchAgain(finding, executedAt, caseFile) : [],
  );
  return [...began, ...grown];
}

const isWhole = ({ labels }: Finding): boolean => Object.keys(labels).length === 0;

function seriesOf(service: string, metric: string, { series }: CaseFile) {
  return series.find((one) => one.service === service && one.metric === metric && Object.keys(one.labels).length === 0);
}

/** A use of resources that follows what runs is no harm; where nothing is sampled, as of pods, the finding is all there is. */
function isHarmful(service: string, metric: string, caseFile: CaseFile): boolean {
  const series = seriesOf(service, metric, caseFile);
  return series === undefined || isHarm(metric, series.worse);
}

/**
 * A test goes on alarming until it is sure that it is over; pods that start cold cost something that passes. Where all of the
 * newest samples lie nearer to the usual level than to the trouble's, it is over.
 */
function isBack({ service, metric, baseline, current }: Finding, caseFile: CaseFile): boolean {
  const values = seriesOf(service, metric, caseFile)?.values.filter((value) => value !== null) ?? [];
  const newest = values.slice(-ENOUGH_SAMPLES);
  if (baseline === null || current === null || newest.length < ENOUGH_SAMPLES) return false;
  return newest.every((value) => Math.abs(value - baseline) < Math.abs(value - current));
}

function asMuchAgain(finding: Finding, executedAt: number, caseFile: CaseFile): readonly Worsened[] {
  const { service, metric, baseline, current } = finding;
  const series = seriesOf(service, metric, caseFile);
  if (series === undefined || series.worse !== "up" || !isHarm(metric, series.worse)) return [];
  if (baseline === null || current === null || current <= baseline) return [];
  const limit = baseline + AS_MUCH_AGAIN * (current - baseline);
  const since = series.values.flatMap((value, index) => {
    const at = series.startAt + index * series.stepMs;
    return value === null || at - series.stepMs < executedAt ? [] : [{ at, value }];
  });
  const run = since.slice(since.findLastIndex(({ value }) => value < limit) + 1);
  const [first, last] = [run[0], run.at(-1)];
  if (first === undefined || last === undefined || run.length < ENOUGH_SAMPLES) return [];
  const because = `${figure(last.value)}, at least twice as far off as before the act (${figure(current)})`;
  return [{ service, metric, since: first.at, because }];
}

const figure = (value: number): string => String(Number(value.toPrecision(3)));

/**
 * A verdict with what is worse since the act: no recovery while that lasts, and none at the end. `isOver`: the time that a
 * recovery may take is over.
 */
export function withWorsened(recovery: Recovery, signals: readonly Worsened[], isOver: boolean): Recovery {
  if (signals.length === 0) return recovery;
  const verdict = isOver ? "not-recovered" : "pending";
  const more = signals.map(({ service, metric, because }) => ({ service, metric, verdict, because }) as const);
  return { verdict, at: isOver ? recovery.at : null, checks: [...recovery.checks, ...more] };
}

/** The headline of what people hear of it, for those signals that are so for this long at least; null: none is. */
export function worsenedText(signals: readonly Worsened[], at: number, lastMs: number): string | null {
  const lasting = signals.filter(({ since }) => at - since >= lastMs);
  if (lasting.length === 0) return null;
  const names = [...new Set(lasting.map(({ service, metric }) => `${metric} of ${service}`))].sort();
  const since = durationText(Math.max(...lasting.map((one) => at - one.since)));
  return `What was done may have made it worse: ${names.join(", ")}, for ${since} now. Needs a person to investigate.`;
}
