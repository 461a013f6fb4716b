import { type Series, WELL_KNOWN_METRICS } from "./signal.ts";

/** No series has more samples: it is as many as a file of samples may hold, and far more than is kept of a signal. */
export const MOST_SAMPLES = 1_000_000;

/**
 * What is computed of samples is at most of the fourth power of them: squares of variances, and of sums of products over all
 * samples of a series, (n·x²)². Up to the largest power of ten for which that is finite in double precision (at most 1.8e308),
 * 1e74, everything can be computed, whatever all the samples are. No measurement comes near: a century in nanoseconds is 3e18,
 * and 2^128, the largest that a counter of 128 bits holds, 3e38.
 */
export const LARGEST_VALUE = 10 ** Math.floor(Math.log10(Number.MAX_VALUE / MOST_SAMPLES ** 2) / 4);
/** What a difference of two shares may leave of zero in double precision, with room: `1 - answered / asked`. */
const ROUNDED = 1e-9;

/** A sample that measures nothing. */
export interface Absurd {
  readonly value: number;
  /** Unix ms. */
  readonly at: number;
}

/**
 * A series with each sample missing that can be no measurement: infinite, larger than anything can be computed of, or a count, rate,
 * share or duration below zero (each of `WELL_KNOWN_METRICS` is one); and the newest of those. The series itself and null where
 * there is none. NaN is how sources write a missing sample: it stays, and is not absurd.
 */
export function believed(series: Series): { readonly series: Series; readonly absurd: Absurd | null } {
  const least = Object.hasOwn(WELL_KNOWN_METRICS, series.metric) ? -ROUNDED : -LARGEST_VALUE;
  const isAbsurd = (value: number | null) => value !== null && (value < least || value > LARGEST_VALUE);
  const newest = series.values.findLastIndex(isAbsurd);
  const value = series.values[newest];
  if (value === undefined || value === null) return { series, absurd: null };
  return {
    series: { ...series, values: series.values.map((one) => (isAbsurd(one) ? null : one)) },
    absurd: { value, at: series.startAt + newest * series.stepMs },
  };
}
