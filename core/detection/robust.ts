/** Order statistics and trends that one wild sample cannot move. All inputs: finite numbers, any unit. */

/** The middle value; NaN of nothing. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** Where values are put in order; one for all calls, since an assessment asks for thousands of medians. */
let scratch = new Float64Array(1024);

/** Linear interpolation between order statistics (Hyndman & Fan type 7); `q` 0–1; NaN of nothing. O(n) on average. */
export function quantile(values: readonly number[], q: number): number {
  const { length } = values;
  const parted = scratchOf(length);
  for (let i = 0; i < length; i++) parted[i] = values[i] ?? Number.NaN;
  return quantileIn(parted, length, q);
}

function scratchOf(length: number): Float64Array {
  if (scratch.length < length) scratch = new Float64Array(2 * length);
  return scratch;
}

/** The same of the first `length` values, which are put in another order. */
function quantileIn(parted: Float64Array, length: number, q: number): number {
  if (length === 0) return Number.NaN;
  const place = (length - 1) * q;
  const rank = Math.floor(place);
  const low = select(parted, length, rank);
  if (place === rank) return low;
  let high = Number.POSITIVE_INFINITY;
  for (let i = rank + 1; i < length; i++) high = Math.min(high, parted[i] ?? high);
  return low + (high - low) * (place - rank);
}

/**
 * The value of this rank (0 is the smallest) among the first `length`; whatever is larger stands behind it afterwards. No sort: medians are most
 * of what an assessment computes.
 * @see Hoare (1961), "Algorithm 65: Find", CACM 4(7):321–322
 */
function select(values: Float64Array, length: number, rank: number): number {
  let left = 0;
  let right = length - 1;
  while (left < right) {
    const pivot = values[rank] ?? Number.NaN;
    let i = left;
    let j = right;
    while (i <= j) {
      while ((values[i] ?? pivot) < pivot) i += 1;
      while ((values[j] ?? pivot) > pivot) j -= 1;
      if (i > j) break;
      const swapped = values[i] ?? pivot;
      values[i] = values[j] ?? pivot;
      values[j] = swapped;
      i += 1;
      j -= 1;
    }
    if (j < rank) left = i;
    if (rank < i) right = j;
  }
  return values[rank] ?? Number.NaN;
}

/**
 * Standard deviation as the median absolute deviation sees it: 1.4826 × MAD, consistent for normal data.
 * @see Rousseeuw & Croux (1993), J. Am. Stat. Assoc. 88(424):1273–1283
 */
export function robustScale(values: readonly number[], center = median(values)): number {
  const { length } = values;
  const away = scratchOf(length);
  for (let i = 0; i < length; i++) away[i] = Math.abs((values[i] ?? Number.NaN) - center);
  return 1.4826 * quantileIn(away, length, 0.5);
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

/** log(eᵃ + eᵇ), without overflow: `logSumExp` of the two. */
export function logAdd(a: number, b: number): number {
  const top = Math.max(a, b);
  return Number.isFinite(top) ? top + Math.log(1 + Math.exp(Math.min(a, b) - top)) : top;
}

/** log Σ exp(x), without overflow. −∞ of nothing. */
export function logSumExp(values: readonly number[]): number {
  let top = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < values.length; i++) top = Math.max(top, values[i] ?? Number.NaN);
  if (!Number.isFinite(top)) return top;
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += Math.exp((values[i] ?? Number.NaN) - top);
  return top + Math.log(sum);
}
