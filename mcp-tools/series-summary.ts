import type { Series } from "../core/model/signal.ts";
import type { Window } from "../core/model/time.ts";

/** A series in five figures, in its own unit; null where it has no sample at all. */
export interface SeriesSummary {
  readonly min: number | null;
  readonly mean: number | null;
  readonly max: number | null;
  readonly last: number | null;
  readonly missing: number;
}

export function summary({ values }: Pick<Series, "values">): SeriesSummary {
  const present = values.filter((value) => value !== null);
  const missing = values.length - present.length;
  if (present.length === 0) return { min: null, mean: null, max: null, last: null, missing };
  let [min, max, sum] = [Infinity, -Infinity, 0];
  for (const value of present) [min, max, sum] = [Math.min(min, value), Math.max(max, value), sum + value];
  return { min, mean: sum / present.length, max, last: present.at(-1) ?? null, missing };
}

/** Mean of the samples that end in each bucket `(from + i·bucketMs, from + (i+1)·bucketMs]`; null where there are none. */
export function bucketMeans(series: Series, { from, to }: Window, bucketMs: number): readonly (number | null)[] {
  const buckets = Array.from({ length: Math.ceil((to - from) / bucketMs) }, () => ({ sum: 0, count: 0 }));
  for (const [index, value] of series.values.entries()) {
    const end = series.startAt + index * series.stepMs;
    const bucket = buckets[Math.ceil((end - from) / bucketMs) - 1];
    if (value === null || bucket === undefined) continue;
    bucket.sum += value;
    bucket.count += 1;
  }
  return buckets.map(({ sum, count }) => (count === 0 ? null : sum / count));
}
