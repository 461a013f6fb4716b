/** Counts of a classic histogram: `counts[i]` observations at or below `bounds[i]`; bounds ascend and end in +Inf. */
export interface Buckets {
  readonly bounds: readonly number[];
  readonly counts: ArrayLike<number>;
}

/**
 * The q-quantile of a classic histogram, in the unit of its bounds, or null where it has no observations.
 *
 * As Prometheus defines it: linear within a bucket, the lowest bucket begins at 0 where its bound is above 0, a quantile
 * in the +Inf bucket is the highest finite bound, and counts that decrease (they should not) are raised to the one before.
 *
 * @see https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile
 */
export function histogramQuantile(q: number, { bounds, counts }: Buckets): number | null {
  const last = bounds.length - 1;
  if (last < 1 || bounds[last] !== Infinity) return null;
  let total = 0;
  for (let i = 0; i <= last; i += 1) total = Math.max(total, counts[i] ?? 0);
  if (!(total > 0)) return null;
  const rank = q * total;
  let below = 0;
  for (let i = 0; i < last; i += 1) {
    const upTo = Math.max(below, counts[i] ?? 0);
    const upper = bounds[i] ?? 0;
    if (upTo >= rank) {
      if (i === 0 && upper <= 0) return upper;
      const lower = i === 0 ? 0 : (bounds[i - 1] ?? 0);
      return upTo === below ? lower : lower + (upper - lower) * ((rank - below) / (upTo - below));
    }
    below = upTo;
  }
  return bounds[last - 1] ?? null;
}

/**
 * The sum of histograms. Where their bounds differ (a new version with other buckets), only the bounds that all share
 * are kept: the counts at those add up exactly, while a sum over all bounds would mix unlike things.
 */
export function addBuckets(all: readonly Buckets[]): Buckets | null {
  const [first, ...rest] = all;
  if (first === undefined || rest.length === 0) return first ?? null;
  const bounds = first.bounds.filter((bound) => rest.every((other) => other.bounds.includes(bound)));
  const counts = bounds.map((bound) => all.reduce((sum, one) => sum + (one.counts[one.bounds.indexOf(bound)] ?? 0), 0));
  return { bounds, counts };
}
