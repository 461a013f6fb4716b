import { type Series, WELL_KNOWN_METRICS } from "./signal.ts";

/** No signal is larger; sums of many squares of such values stay finite, and so does what is computed of them. */
export const LARGEST_VALUE = 1e15;
/** What a difference of two shares may leave of zero in double precision, with room: `1 - answered / asked`. */
const ROUNDED = 1e-9;

/** A sample that measures nothing. */
export interface Absurd {
  readonly value: number;
  /** Unix ms. */
  readonly at: number;
}

/**
 * A series with each sample missing that can be no measurement: too large to compute with, or a count, rate, share or
 * duration below zero (each of `WELL_KNOWN_METRICS` is one); and the newest of those. The series itself and null where there is
 * none. NaN and ±∞ are how sources write a missing sample: they stay, and are not absurd.
 */
export function believed(series: Series): { readonly series: Series; readonly absurd: Absurd | null } {
  const least = Object.hasOwn(WELL_KNOWN_METRICS, series.metric) ? -ROUNDED : -LARGEST_VALUE;
  const isAbsurd = (value: number | null) =>
    value !== null && Number.isFinite(value) && (value < least || value > LARGEST_VALUE);
  const newest = series.values.findLastIndex(isAbsurd);
  const value = series.values[newest];
  if (value === undefined || value === null) return { series, absurd: null };
  return {
    series: { ...series, values: series.values.map((one) => (isAbsurd(one) ? null : one)) },
    absurd: { value, at: series.startAt + newest * series.stepMs },
  };
}
