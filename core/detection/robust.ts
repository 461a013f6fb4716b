/** Order statistics and trends that one wild sample cannot move. All inputs: finite numbers, any unit. */

/** The middle value; NaN of nothing. O(n log n). */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** Linear interpolation between order statistics (Hyndman & Fan type 7); `q` 0–1; NaN of nothing. */
export function quantile(values: readonly number[], q: number): number {
  if (values.length === 0) return Number.NaN;
  const sorted = Float64Array.from(values).sort();
  const place = (sorted.length - 1) * q;
  const low = sorted[Math.floor(place)] ?? Number.NaN;
  const high = sorted[Math.ceil(place)] ?? low;
  return low + (high - low) * (place - Math.floor(place));
}

/**
 * Standard deviation as the median absolute deviation sees it: 1.4826 × MAD, consistent for normal data.
 * @see Rousseeuw & Croux (1993), J. Am. Stat. Assoc. 88(424):1273–1283
 */
export function robustScale(values: readonly number[], center = median(values)): number {
  return 1.4826 * median(values.map((value) => Math.abs(value - center)));
}

/** Median of the slopes between all pairs, in units a step of the index. O(n²): for a few dozen points. Sen (1968). */
export function theilSenSlope(values: readonly number[]): number {
  const slopes: number[] = [];
  values.forEach((early, i) => {
    for (let j = i + 1; j < values.length; j++) slopes.push(((values[j] ?? early) - early) / (j - i));
  });
  return slopes.length === 0 ? 0 : median(slopes);
}

/**
 * Mann–Kendall's trend as a standard normal z: > 0 rising. No ties correction (values are continuous). O(n²).
 * @see Mann (1945), Econometrica 13(3):245–259; Kendall (1975), Rank Correlation Methods
 */
export function mannKendall(values: readonly number[]): number {
  const n = values.length;
  if (n < 4) return 0;
  let s = 0;
  values.forEach((early, i) => {
    for (let j = i + 1; j < n; j++) s += Math.sign((values[j] ?? early) - early);
  });
  return s === 0 ? 0 : (s - Math.sign(s)) / Math.sqrt((n * (n - 1) * (2 * n + 5)) / 18);
}

/** log Σ exp(x), without overflow. −∞ of nothing. */
export function logSumExp(values: readonly number[]): number {
  const top = Math.max(Number.NEGATIVE_INFINITY, ...values);
  if (!Number.isFinite(top)) return top;
  return top + Math.log(values.reduce((sum, value) => sum + Math.exp(value - top), 0));
}
