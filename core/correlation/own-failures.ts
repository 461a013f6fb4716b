import { logSumExp } from "../detection/robust.ts";
import type { Onset } from "../model/finding.ts";
import type { CallGraph } from "./call-graph.ts";
import { beforeMs, LEAST_PART } from "./harm.ts";
import { onceAnIndex } from "./once.ts";
import { countsBetween, type SampleIndex, samplesBetween } from "./samples.ts";

/** What a service fails beside what its callees fail, as far as their ups and downs tell it. */
export interface OwnFailures {
  /** Log Bayes factor of "it fails some by itself" against "it fails because of them alone". */
  readonly nats: number;
  /** The share of its requests that it fails by itself. */
  readonly share: number;
  /** Whether the callees' failures varied enough to tell. */
  readonly told: boolean;
}

/** A line through fewer has no error that could be believed. */
const LEAST_SAMPLES = 4;
/** A rollout's growth lies in the first samples; those after it, all alike, would only hide it. */
const FIRST_SAMPLES = 24;
/** Evidence beyond this is not trusted from one regression: the model of how calls fail is too simple for it. */
const MOST_NATS = 6;
/** Overdispersion of counts, as everywhere where two services are compared. */
const DISPERSION = 2;
/** It is told once the part of its own is known to a third of what it fails in all. */
const TOLD = 1 / 3;
/** A share of failures is taken for no more than this, so that its logarithm stays finite. */
const NEARLY_ALL = 0.98;
/** Points at which a likelihood is summed over an interval; more change nothing that is told. */
const PLACES = 40;
/** Less than this part of what a service fails is not told from what its callees cause. */
const BLUR = 0.1;

/**
 * While a rollout of a callee goes on, its failures grow; a caller that fails because of them alone grows with them from
 * nothing, one that fails by itself as well does not. Each request that makes m calls, of which a share x fails, succeeds
 * with probability (1 − x)^m, so that −log(1 − y) is m·−log(1 − x), and what the caller fails itself adds a constant: the
 * intercept of a weighted regression over the first samples since the onset. (Calls that are tried again bend the line the
 * other way, which makes the intercept smaller.) What it fails at all times is taken out. The Bayes factor weighs a good part
 * up to all of what it fails, each alike, against next to nothing: samples that do not quite overlap leave some.
 * Null where errors and requests are not counted, or no callee fails.
 */
export function ownFailures(
  index: SampleIndex,
  graph: CallGraph,
  harm: ReadonlyMap<string, number>,
  service: string,
  onset: Onset,
  at: number,
): OwnFailures | null {
  const callees = [...graph.callees(service)].filter((one) => one !== service && (harm.get(one) ?? 0) > 0).sort();
  if (callees.length === 0) return null;
  return once(index, `${service}\n${callees.join()}\n${onset.latest} ${at}`, () =>
    newOwnFailures(index, service, callees, onset, at),
  );
}

const once = onceAnIndex<OwnFailures | null>();

interface Point {
  readonly x: number;
  readonly y: number;
  readonly weight: number;
  /** Sampling variance of `x`. */
  readonly noise: number;
}

function newOwnFailures(
  index: SampleIndex,
  service: string,
  callees: readonly string[],
  onset: Onset,
  at: number,
): OwnFailures | null {
  const errors = index.whole(service, "error_rate");
  if (errors === undefined || index.whole(service, "request_rate") === undefined) return null;
  const before = countsOf(index, service, onset.earliest - beforeMs(errors.stepMs), onset.earliest);
  const usual = before === null ? 0 : lost(before.k / before.n);
  const points: Point[] = [];
  // The sample in which it began holds some of what was before.
  for (const { at: time } of samplesBetween(errors, onset.latest, at).slice(0, FIRST_SAMPLES)) {
    const from = time - errors.stepMs / 2;
    const own = countsOf(index, service, from, time);
    const theirs = callees.map((callee) => countsOf(index, callee, from, time));
    if (own === null || theirs.includes(null)) continue;
    const y = Math.min(NEARLY_ALL, (own.k + 0.5) / (own.n + 1));
    const x = theirs.reduce((sum, one) => sum + (one === null ? 0 : lost(one.k / one.n)), 0);
    const noise = theirs.reduce((sum, one) => sum + (one === null ? 0 : noiseOf(one)), 0);
    points.push({ x, y: lost(y) - usual, weight: (own.n * (1 - y)) / (DISPERSION * y), noise });
  }
  if (points.length === 0) return null;
  const mean = points.reduce((sum, { y }) => sum + y, 0) / points.length;
  if (points.length < LEAST_SAMPLES) return { nats: 0, share: 0, told: false };
  const { intercept, error } = regression(points);
  const share = 1 - Math.exp(-Math.max(0, intercept));
  const told = error <= TOLD * mean && isReliable(points);
  return { nats: bayesFactor(intercept, error, mean), share, told };
}

/**
 * Whether the callees' failures vary by far more than chance makes them: else the line is flatter than it is, and its
 * intercept too high, by the part of the variance that is noise.
 * @see Fuller (1987), Measurement Error Models, §1.1 (reliability ratio, attenuation)
 */
function isReliable(points: readonly Point[]): boolean {
  const mean = (of: (point: Point) => number) => points.reduce((sum, point) => sum + of(point), 0) / points.length;
  const middle = mean(({ x }) => x);
  return mean(({ noise }) => noise) <= BLUR * mean(({ x }) => (x - middle) ** 2);
}

/** Sampling variance of `lost` of a share of so many requests. */
const noiseOf = ({ k, n }: { readonly k: number; readonly n: number }): number => {
  const share = Math.min(NEARLY_ALL, (k + 0.5) / (n + 1));
  return (DISPERSION * share) / ((1 - share) * n);
};

const countsOf = (index: SampleIndex, service: string, from: number, to: number) =>
  countsBetween(index.whole(service, "error_rate"), index.whole(service, "request_rate"), from, to);

const lost = (share: number): number => -Math.log(1 - Math.min(NEARLY_ALL, share));

/** Weighted least squares of a line; the error of the intercept from the weights, or from what is left where that is more. */
function regression(points: readonly Point[]): { readonly intercept: number; readonly error: number } {
  const sum = (of: (point: Point) => number) => points.reduce((total, point) => total + point.weight * of(point), 0);
  const [w, x, y] = [sum(() => 1), sum((one) => one.x), sum((one) => one.y)];
  const [xx, xy] = [sum((one) => one.x ** 2), sum((one) => one.x * one.y)];
  const spread = w * xx - x * x;
  if (!(spread > 1e-12 * w * xx)) return { intercept: 0, error: Number.POSITIVE_INFINITY };
  const slope = Math.max(0, (w * xy - x * y) / spread);
  const intercept = (y - slope * x) / w;
  const rest = sum((one) => (one.y - intercept - slope * one.x) ** 2) / Math.max(1, points.length - 2);
  return { intercept, error: Math.sqrt((xx / spread) * Math.max(1, rest)) };
}

/** Any intercept from a good part of `most` to all of it, each alike, against any that is next to nothing; nats, bounded. */
function bayesFactor(intercept: number, error: number, most: number): number {
  if (!Number.isFinite(error) || !(most > 0)) return 0;
  const between = (from: number, to: number): number => {
    const places = Array.from({ length: PLACES }, (_, i) => most * (from + ((to - from) * (i + 0.5)) / PLACES));
    return logSumExp(places.map((value) => -((intercept - value) ** 2) / (2 * error ** 2)));
  };
  const nats = between(LEAST_PART, 1) - between(0, BLUR);
  return Math.max(-MOST_NATS, Math.min(MOST_NATS, nats));
}
