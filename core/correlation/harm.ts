import { MATERIAL_LEVEL } from "../detection/evidence.ts";
import { keptBySamples } from "../detection/kept-by-samples.ts";
import { hasLimit, isHarm, isLatency } from "../detection/meaning.ts";
import { logSumExp, median, robustScale } from "../detection/robust.ts";
import type { Finding, Onset } from "../model/finding.ts";
import type { Series } from "../model/signal.ts";
import { onceAnIndex } from "./once.ts";
import { countsBetween, type SampleIndex, valuesBetween } from "./samples.ts";

/** Evidence beyond this is not trusted from one service: something else may be wrong with it. */
export const HARM_CERTAIN = 6;
const LEAST_NATS = -4;
/** What "before" means: half an hour before the onset, or where samples are rare as many as a steady level needs. */
const BEFORE_MS = 1_800_000;
const BEFORE_SAMPLES = 48;
export const beforeMs = (stepMs: number): number => Math.max(BEFORE_MS, BEFORE_SAMPLES * stepMs);
/** Neighbouring samples of a level say much the same: so many count as one. */
const HANG_TOGETHER = 4;
/** Where others fail requests, a service that is merely slow is seldom where it starts: one time in seven. */
export const SLOW_NOT_FAILING = 0.15;
/** A caller may ask several times for one request of its own: the origin fails at least this part of what a caller does. */
export const LEAST_PART = 0.2;
/** Overdispersion taken for granted where it cannot be measured. */
const DISPERSION = 2;

/**
 * For each service, the log Bayes factor of "hurt since the onset" against "as before". 0 where the data cannot tell
 * (no samples, too little traffic): a quiet low-traffic service is no proof that it is well. Services with a finding
 * "worse" of about the same onset are taken as hurt.
 */
export function harmByService(
  index: SampleIndex,
  findings: readonly Finding[],
  onset: Onset,
  at: number,
): ReadonlyMap<string, number> {
  const harm = new Map<string, number>();
  for (const service of index.services) harm.set(service, harmOf(index, service, onset, at, 0));
  for (const finding of findings) {
    if (finding.verdict === "unknown" && finding.detector === "silence" && !harm.has(finding.service))
      harm.set(finding.service, 0);
    if (isNearOnset(index, finding, onset)) harm.set(finding.service, HARM_CERTAIN);
  }
  return harm;
}

/** Whether a finding says that its service is worse since about this onset. */
export function isNearOnset(index: SampleIndex, finding: Finding, onset: Onset): boolean {
  if (finding.verdict !== "worse" || finding.onset === null) return false;
  if (Object.keys(finding.labels).length > 0 || !hurts(index, finding)) return false;
  if (isDeclaredOnly(finding)) return false; // beyond a threshold is not yet worse than before: the data says which
  const { coarsestMs: stepMs } = index;
  const apart = Math.max(finding.onset.earliest - onset.latest, onset.earliest - finding.onset.latest, 0);
  return apart <= 600_000 + 2 * stepMs;
}

/** Whether a finding speaks of harm: a metric that hurts, what policy or a person declares bad, or a drift that will hurt. */
export function hurts(index: SampleIndex, finding: Finding): boolean {
  if (DECLARED.has(finding.detector)) return true;
  return isHarm(finding.metric, index.whole(finding.service, finding.metric)?.worse ?? "up");
}
const DECLARED: ReadonlySet<string> = new Set(["threshold", "health", "rollout", "drift", "pointed-at", "canary"]);

/** Beyond what policy allows, with no test that says it is worse than before. */
export const isDeclaredOnly = ({ detector, metric }: Finding): boolean => detector === "threshold" && !hasLimit(metric);

/** Whether what is worse creeps: a drift, or the use of a limited resource that grew until policy spoke. */
export const creeps = ({ detector, metric }: Finding): boolean => detector === "drift" || hasLimit(metric);

/**
 * The same, as evidence that the trouble starts there: where errors rose, the origin must fail a good part of what its
 * callers fail, and being slow alone counts for little. What a finding says of errors stands.
 */
export function harmAsOrigin(
  index: SampleIndex,
  findings: readonly Finding[],
  onset: Onset,
  at: number,
  harm: ReadonlyMap<string, number>,
): ReadonlyMap<string, number> {
  const excess = worstExcess(index, findings, onset);
  if (excess === 0) return harm;
  const failing = new Set(
    findings.filter((one) => one.verdict === "worse" && !isLatency(one.metric)).map(({ service }) => service),
  );
  return new Map(
    [...harm].map(([service, nats]) => {
      if (failing.has(service) || !index.services.includes(service)) return [service, nats];
      return [service, Math.min(nats, harmOf(index, service, onset, at, excess))];
    }),
  );
}

/** The largest excess of errors among findings of about this onset; 0 where the trouble is not one of errors. */
function worstExcess(index: SampleIndex, findings: readonly Finding[], onset: Onset): number {
  const errors = findings.filter(
    (one) => one.metric === "error_rate" && one.baseline !== null && isNearOnset(index, one, onset),
  );
  return Math.max(0, ...errors.map(({ baseline, current }) => (current ?? 0) - (baseline ?? 0)));
}

/** The same evidence for one service from the samples since a later moment alone, against what was before the onset. */
export function isHurtSince(index: SampleIndex, service: string, onset: Onset, since: number, at: number): number {
  return harmOf(index, service, { ...onset, at: since }, at, 0);
}

/**
 * The same for a level that is no harm itself (the length of a queue, connections, the hits of a cache), in its direction
 * of `worse`; 0 where it has come back some of the way since then: what was held up by a restart is worked off after it.
 */
export function isOffSince(
  index: SampleIndex,
  service: string,
  metric: string,
  onset: Onset,
  since: number,
  at: number,
): number {
  const series = index.whole(service, metric);
  const sign = series?.worse === "down" ? -1 : 1;
  const read = (from: number, to: number) => valuesBetween(series, from, to).map((value) => sign * value);
  const values = read(since, at);
  const before = read(onset.earliest - beforeMs(series?.stepMs ?? 0), onset.earliest);
  if (values.length < 2 || before.length === 0 || median(values.slice(-2)) < (values[0] ?? 0)) return 0;
  return clampHarm(levelNats(before, values, Math.max(MATERIAL_LEVEL * Math.abs(median(before)), Number.EPSILON)));
}

/** Log Bayes factors of "fails since the onset" and "slow since the onset", each by itself; 0 where it cannot be told. */
export function harmByClass(
  index: SampleIndex,
  service: string,
  onset: Onset,
  at: number,
): { readonly failing: number; readonly slow: number } {
  return {
    failing: clampHarm(errorHarm(index, service, onset, at, 0)),
    slow: slowHarm(index, service, onset, at, 0),
  };
}

/** Log Bayes factor of "answers since the onset are so late that time-outs may fail them" against "as before"; 0 where it cannot be told. */
export const lateEnoughToFail = (index: SampleIndex, service: string, onset: Onset, at: number): number =>
  slowHarm(index, service, onset, at, 1);

function slowHarm(index: SampleIndex, service: string, onset: Onset, at: number, excess: number): number {
  const late = index
    .metrics(service)
    .filter(({ metric, worse }) => isLatency(metric) && worse !== "down")
    .map(({ metric }) => latencyHarm(index, service, metric, onset, at, excess))
    .filter((nats) => nats !== 0);
  return late.length === 0 ? 0 : clampHarm(logSumExp(late) - Math.log(late.length));
}

/** `excess`: by how much errors rose where they rose most; 0 where they are as usual and only latency speaks. */
function harmOf(index: SampleIndex, service: string, onset: Onset, at: number, excess: number): number {
  const failing: number[] = [];
  const slow: number[] = [];
  for (const { metric, worse } of index.metrics(service)) {
    if (metric === "error_rate") failing.push(errorHarm(index, service, onset, at, excess));
    else if (isLatency(metric) && worse !== "down") slow.push(latencyHarm(index, service, metric, onset, at, excess));
  }
  const mean = (nats: readonly number[]) => logSumExp(nats) - Math.log(nats.length);
  const told = [...failing, ...slow].filter((nats) => nats !== 0);
  if (told.length === 0) return 0;
  if (excess === 0 || failing.length === 0 || slow.length === 0) return clampHarm(mean(told));
  return clampHarm(
    logSumExp([Math.log(1 - SLOW_NOT_FAILING) + mean(failing), Math.log(SLOW_NOT_FAILING) + mean(slow)]),
  );
}

export const clampHarm = (nats: number): number => Math.max(LEAST_NATS, Math.min(HARM_CERTAIN, nats));

const once = onceAnIndex<number>();

function errorHarm(index: SampleIndex, service: string, onset: Onset, at: number, excess: number): number {
  const question = `errors\n${service}\n${onset.earliest} ${onset.at} ${at} ${excess}`;
  return once(index, question, () => newErrorHarm(index, service, onset, at, excess));
}

function newErrorHarm(index: SampleIndex, service: string, onset: Onset, at: number, excess: number): number {
  const errors = index.whole(service, "error_rate");
  const rate = index.whole(service, "request_rate");
  const before = countsBetween(errors, rate, onset.earliest - beforeMs(errors?.stepMs ?? 0), onset.earliest);
  const after = countsBetween(errors, rate, onset.at, at);
  if (after === null || before === null) return levelHarm(index, service, "error_rate", onset, at, 0.01, false);
  const usual = (before.k + 0.5) / (before.n + 1);
  // How far the usual rate itself may be off counts against "hurt"; after a handful of requests it may be anything.
  const reach = 2 * Math.sqrt((DISPERSION * (usual + 0.5 / (before.n + 1))) / (before.n + 1));
  const high = Math.min(0.98, usual + reach);
  const least = Math.max(0.003, LEAST_PART * excess);
  const alternatives = [1, 3, 12, 50].map((multiple) => {
    const rateWorse = Math.min(0.99, high + least * multiple);
    const one = after.k * Math.log(rateWorse / high) + (after.n - after.k) * Math.log((1 - rateWorse) / (1 - high));
    return one / DISPERSION;
  });
  return logSumExp(alternatives) - Math.log(alternatives.length);
}

/** Latency that makes callers fail runs into their time-outs: a shift at the edge of what matters does not. */
function latencyHarm(
  index: SampleIndex,
  service: string,
  metric: string,
  onset: Onset,
  at: number,
  excess: number,
): number {
  const question = `latency\n${service}\n${metric}\n${onset.earliest} ${onset.at} ${at} ${excess}`;
  return once(index, question, () => newLatencyHarm(index, service, metric, onset, at, excess));
}

function newLatencyHarm(
  index: SampleIndex,
  service: string,
  metric: string,
  onset: Onset,
  at: number,
  excess: number,
): number {
  return levelHarm(
    index,
    service,
    metric,
    onset,
    at,
    Math.log(1 + MATERIAL_LEVEL),
    true,
    excess > 0 ? [3, 8] : [1, 3, 8],
  );
}

/** How a level moved with an onset, in the scale tested. */
interface Move {
  readonly shift: number;
  /** The robust deviation before. */
  readonly scale: number;
  /** Variance of the shift over that of single samples. */
  readonly spread: number;
}

const onceMoved = onceAnIndex<Move | null>();

/** What a level was before, in the scale tested. */
interface Usual {
  readonly center: number;
  readonly scale: number;
}

function usualOf(values: readonly number[]): Usual {
  const center = median(values);
  return { center, scale: robustScale(values, center) };
}

const inLogs = (values: readonly number[]): readonly number[] => values.map(Math.log);
const usualLevel = keptBySamples(usualOf);
const usualLog = keptBySamples((values) => usualOf(inLogs(values)));

/** In logs: of positive values, others have none. */
function moveOf(series: Series | undefined, onset: Onset, at: number, log: boolean): Move | null {
  const least = log ? Number.MIN_VALUE : Number.NEGATIVE_INFINITY;
  const before = valuesBetween(series, onset.earliest - beforeMs(series?.stepMs ?? 0), onset.earliest, least);
  const after = valuesBetween(series, onset.at, at, least);
  const question = `${series?.service}\n${series?.metric}`;
  const usual = () => (log ? usualLog : usualLevel)(question, before);
  return moveBetween(before, log ? inLogs(after) : after, usual);
}

/** Null where too little is known. A burst that passed does not make who is well now look hurt: medians. */
function moveBetween(before: readonly number[], after: readonly number[], usual = () => usualOf(before)): Move | null {
  if (before.length < 4 || after.length === 0) return null;
  const { center, scale } = usual();
  const alone = (samples: readonly number[]) => Math.max(1, samples.length / HANG_TOGETHER);
  return { shift: median(after) - center, scale, spread: 1 / alone(after) + 1 / alone(before) };
}

function levelHarm(
  index: SampleIndex,
  service: string,
  metric: string,
  onset: Onset,
  at: number,
  least: number,
  log: boolean,
  multiples: readonly number[] = [1, 3, 8],
): number {
  const question = `level\n${service}\n${metric}\n${onset.earliest} ${onset.at} ${at}`;
  const move = onceMoved(index, question, () => moveOf(index.whole(service, metric), onset, at, log));
  return move === null ? 0 : moveNats(move, least, multiples);
}

/** Log Bayes factor of "a level rose by at least `least`" against "it is as before", from its samples before and after. */
export function levelNats(before: readonly number[], after: readonly number[], least: number): number {
  const move = moveBetween(before, after);
  return move === null ? 0 : moveNats(move, least, [1, 3, 8]);
}

/** Of how many multiples of the least rise (or of what the level wanders, if that is more), each is as likely as the others. */
function moveNats(move: Move, least: number, multiples: readonly number[]): number {
  const { shift } = move;
  const scale = Math.max(move.scale, least / 4);
  const variance = scale ** 2 * move.spread;
  // "As before" is every level up to half of the least shift that matters, as for the running tests.
  const calm = Math.max(0, Math.min(shift, least / 2));
  const alternatives = multiples.map((multiple) => {
    const size = multiple * Math.max(least, 2 * scale);
    return ((shift - calm) ** 2 - (shift - size) ** 2) / (2 * variance);
  });
  return logSumExp(alternatives) - Math.log(alternatives.length);
}
