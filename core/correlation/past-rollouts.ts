import { isLatency } from "../detection/meaning.ts";
import { median, robustScale } from "../detection/robust.ts";
import type { Change } from "../model/change.ts";
import type { Series } from "../model/signal.ts";
import { type SampleIndex, samplesBetween } from "./samples.ts";

/** What an earlier rollout of the same service cost, and when that had passed. */
export interface PastCost {
  readonly change: Change;
  readonly metric: string;
  /** How long after the rollout's end it was over; 0 where it was over by then. */
  readonly overAfterMs: number;
}

/** What is usual is read from so long before a rollout; four samples say it at least. */
export const USUAL_BEFORE_MS = 15 * 60_000;
const LEAST_BEFORE = 4;
/** After a rollout so long is looked whether it passed; what lasts longer is no cost of starting. */
const LOOKED_AFTER_MS = 10 * 60_000;
/** It is over where so many samples in a row are at less than a fifth of the cost, or within what is usual. */
const CALM_SAMPLES = 3;
const CALM = 1 / 5;
const USUAL_DEVIATIONS = 3;
/** Rollouts of one service do not run alike to the second: their courses are compared to the minute. */
const SAME_MINUTE_MS = 60_000;
/** With the pods that start at once and with the traffic, starting costs up to twice as much; beyond that it is more. */
const ALIKE = 2;

/** The deploy of the same service before this one, if its samples may still be held; null where there is none. */
export function deployBefore(change: Change, changes: readonly Change[]): Change | null {
  const earlier = changes.filter(
    (other) =>
      other.kind === "deploy" &&
      other.service === change.service &&
      other.ownRollback !== true &&
      other.finishedAt !== null &&
      other.startedAt < change.startedAt,
  );
  return earlier.toSorted((a, b) => b.startedAt - a.startedAt)[0] ?? null;
}

/**
 * The last rollout of the service, where it cost as much as this one does so far, by the same metric, and that passed:
 * pods that start cold are slow each time. Null where the last one cost nothing like it, or less by the time that has
 * gone by now, or did not pass, or is not measured: then nothing is known of what starting costs. `at`: now; `onset`:
 * when the present trouble began.
 */
export function passedBefore(
  index: SampleIndex,
  change: Change,
  changes: readonly Change[],
  metrics: ReadonlySet<string>,
  onset: { readonly earliest: number },
  at: number,
): PastCost | null {
  const before = change.kind === "deploy" ? deployBefore(change, changes) : null;
  if (before === null || before.finishedAt === null) return null;
  // What ended only as somebody changed the service again, took it back for one, did not pass.
  const again = Math.min(
    ...changes.flatMap(({ service, startedAt }) =>
      service === change.service && startedAt > before.startedAt ? [startedAt] : [],
    ),
  );
  let found: PastCost | null = null;
  for (const metric of [...metrics].sort()) {
    if (metric !== "error_rate" && !isLatency(metric)) continue;
    const series = index.whole(change.service, metric);
    const then = costOf(
      series,
      metric,
      before.startedAt,
      before.finishedAt,
      Math.min(before.finishedAt + LOOKED_AFTER_MS, change.startedAt, again),
    );
    const now = costOf(series, metric, onset.earliest, onset.earliest, at);
    if (then === null || now === null || then.overAt === null) return null;
    if (then.peak <= 0 || now.peak > ALIKE * then.peak) return null; // more than the last time, by whatever metric
    const since = before.startedAt + (at - change.startedAt) - SAME_MINUTE_MS;
    const toCome = then.costs.filter((one) => one.at >= since).map(({ cost }) => cost);
    const newest = now.costs.slice(-2).map(({ cost }) => cost);
    if (Math.min(...newest) > ALIKE * Math.max(then.noise, ...toCome)) return null; // it had eased by then
    const overAfterMs = Math.max(0, then.overAt - before.finishedAt);
    if (found === null || overAfterMs > found.overAfterMs) found = { change: before, metric, overAfterMs };
  }
  return found;
}

interface Cost {
  /** The highest excess that two neighbouring samples share: a ratio of errors, or the log of a ratio of latencies. */
  readonly peak: number;
  /** When it had come back to less than `CALM` of that, or to what is usual, to stay; null where it did not. */
  readonly overAt: number | null;
  /** Sample by sample, and what counts as none. */
  readonly costs: readonly { readonly at: number; readonly cost: number }[];
  readonly noise: number;
}

function costOf(series: Series | undefined, metric: string, from: number, end: number, to: number): Cost | null {
  const before = samplesBetween(series, from - USUAL_BEFORE_MS, from).map(({ value }) => value);
  if (series === undefined || before.length < LEAST_BEFORE) return null;
  const usual = median(before);
  const excess = (value: number) =>
    metric === "error_rate" ? value - usual : value > 0 && usual > 0 ? Math.log(value / usual) : 0;
  const after = samplesBetween(series, from, to).map(({ at, value }) => ({ at, cost: excess(value) }));
  if (after.length < 2) return null;
  const peak = Math.max(...after.slice(1).map(({ cost }, i) => Math.min(cost, after[i]?.cost ?? cost)));
  const noise = Math.max(CALM * peak, USUAL_DEVIATIONS * robustScale(before.map(excess), 0));
  const last = after.findLastIndex(({ cost }) => cost >= noise);
  const isCalm = after.length - 1 - last >= CALM_SAMPLES;
  return { peak, overAt: isCalm ? Math.max(end, after[last]?.at ?? end) : null, costs: after, noise };
}
