import { keptBySamples } from "../detection/kept-by-samples.ts";
import { isLatency } from "../detection/meaning.ts";
import { logSumExp, median } from "../detection/robust.ts";
import type { Finding, Onset } from "../model/finding.ts";
import { HARM_CERTAIN, harmByClass, isNearOnset, SLOW_NOT_FAILING } from "./harm.ts";
import { onceAnIndex } from "./once.ts";
import { type SampleIndex, valuesBetween } from "./samples.ts";

/**
 * What of a service's harm a shared slowness may explain beside whatever is to blame. A slowness makes answers late; it
 * fails no request, and it is not what stands out.
 */
export interface Slowness {
  /** Log Bayes factor of "slow as the rest" against "as before", 0 where a slowness explains nothing. */
  readonly slow: number;
  /** The same of "hurt by what is to blame", where requests fail: to be slow alone is then seldom it. */
  readonly blamed: number;
}

/**
 * How often something shared (a busy machine, a noisy neighbour, a pause of the collector) happens to slow answers in
 * the minutes of another trouble: one time in twenty. Such tails are the ordinary state of shared machines, so it is far
 * more often than outages of shared infrastructure; the order of magnitude is all that matters.
 * @see Dean & Barroso (2013), "The Tail at Scale", CACM 56(2):74–80, "Why Variability Exists?"
 */
export const SLOW_BESIDE = 0.05;
/** How many of the services a slowness reaches is not known: every share alike. */
export const REACH = [0.1, 0.3, 0.5, 0.7, 0.9] as const;
/** Latency that moved by less than a third of the most (in logarithms) does not stand out: the onset's measure as well. */
export const STANDS_OUT = 1 / 3;

/**
 * By service; null where there is nothing a slowness could explain by itself: no service is worse in what it cannot do
 * (fail requests) nor in what stands out (be slower by far than the others).
 */
export function slownessByService(
  index: SampleIndex,
  findings: readonly Finding[],
  onset: Onset,
  at: number,
  harm: ReadonlyMap<string, number>,
): ReadonlyMap<string, Slowness> | null {
  const told = findings.filter((one) => isNearOnset(index, one, onset));
  const failing = new Set(told.filter(({ metric }) => !isLatency(metric)).map(({ service }) => service));
  const late = new Set(told.filter(({ metric }) => isLatency(metric)).map(({ service }) => service));
  const shifts = new Map([...harm.keys()].map((service) => [service, shiftOf(index, service, onset, at)]));
  const most = Math.max(0, ...[...late].map((service) => shifts.get(service) ?? 0));
  if (failing.size === 0 && most === 0) return null;
  return new Map(
    [...harm].map(([service, hurt]) => {
      const data = harmByClass(index, service, onset, at);
      const fails = failing.has(service) ? HARM_CERTAIN : data.failing;
      const slow = Math.min(late.has(service) ? HARM_CERTAIN : data.slow, hurt - Math.max(0, fails));
      if (failing.size > 0) {
        const parts = [Math.log(1 - SLOW_NOT_FAILING) + Math.min(fails, hurt), Math.log(SLOW_NOT_FAILING) + hurt];
        return [service, { slow, blamed: logSumExp(parts) }];
      }
      const standsOut = (shifts.get(service) ?? 0) >= STANDS_OUT * most;
      return [service, { slow: standsOut ? 0 : slow, blamed: hurt }];
    }),
  );
}

/** By how much latency rose since the onset, in logarithms; the metric that rose most. */
function shiftOf(index: SampleIndex, service: string, onset: Onset, at: number): number {
  return once(index, `${service}\n${onset.earliest} ${onset.at} ${at}`, () => newShift(index, service, onset, at));
}

const once = onceAnIndex<number>();
const usualMedian = keptBySamples(median);
/** A latency of nothing was not measured. */
const POSITIVE = Number.MIN_VALUE;

function newShift(index: SampleIndex, service: string, onset: Onset, at: number): number {
  const shifts = index
    .metrics(service)
    .filter(({ metric, worse }) => isLatency(metric) && worse !== "down")
    .map((series) => {
      const before = valuesBetween(series, onset.earliest - 1_800_000, onset.earliest, POSITIVE);
      const after = valuesBetween(series, onset.at, at, POSITIVE);
      if (before.length === 0 || after.length === 0) return 0;
      return Math.log(median(after) / usualMedian(`${service}\n${series.metric}`, before));
    });
  return Math.max(0, ...shifts);
}

/**
 * Services with a finding of their own that a slowness beside the trouble explains better than the trouble does: they do
 * not call what is to blame, fail no request, and do not stand out.
 */
export function slowBeside(
  slowness: ReadonlyMap<string, Slowness> | null,
  dependsOnOrigin: (service: string) => boolean,
): ReadonlySet<string> {
  const beside = [...(slowness ?? [])].filter(([service, { slow }]) => slow > 0 && !dependsOnOrigin(service));
  return new Set(beside.map(([service]) => service));
}
