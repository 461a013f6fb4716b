/**
 * How rare a value is among those seen before: ranks inside, an exponential tail beyond the highest few. Keeps the
 * newest `capacity` values in order: O(log n) to look up, a shift of memory to take in; bounded.
 */
export interface TailHistory {
  readonly capacity: number;
  readonly sorted: number[];
  /** The same values by age, oldest at `oldest`. */
  readonly byAge: number[];
  oldest: number;
}

export const createTailHistory = (capacity: number): TailHistory => ({ capacity, sorted: [], byAge: [], oldest: 0 });

/** Fewer values than this say nothing about a tail. */
const LEAST = 30;
/** The tail is fitted to the highest fiftieth, ten values at least: the usual threshold choice for excesses. */
const TAIL_SHARE = 0.02;
const TAIL_LEAST = 10;

/**
 * −log₁₀ of the chance that a value from the same source is as high, 0–30; 0 while too little is known. Inside: the
 * conformal rank (above + 1)/(n + 1), valid for any distribution. Beyond: excesses over a high threshold are taken as
 * exponential, the generalised Pareto with shape 0.
 * @see Vovk, Gammerman & Shafer, Algorithmic Learning in a Random World (2005), ch. 2; Siffer et al., "Anomaly Detection
 *   in Streams with Extreme Value Theory", KDD 2017; Pickands (1975), Ann. Stat. 3(1)
 */
export function surpriseOf(history: TailHistory, value: number): number {
  const { sorted } = history;
  const n = sorted.length;
  if (n < LEAST) return 0;
  const above = n - rankOf(sorted, value);
  const tail = Math.max(TAIL_LEAST, Math.floor(n * TAIL_SHARE));
  if (above >= tail) return -Math.log10((above + 1) / (n + 1));
  const threshold = sorted[n - tail] ?? value;
  let excess = 0;
  for (let i = n - tail; i < n; i++) excess += (sorted[i] ?? threshold) - threshold;
  const mean = Math.max(excess / tail, 1e-9 * Math.abs(threshold) + Number.MIN_VALUE);
  return Math.min(30, -Math.log10(tail / n) + (value - threshold) / mean / Math.LN10);
}

/** The value below which the share `q` (0–1) of those seen lies; NaN of nothing. */
export function quantileOf(history: TailHistory, q: number): number {
  return history.sorted[Math.min(history.sorted.length - 1, Math.floor(history.sorted.length * q))] ?? Number.NaN;
}

/** Takes one finite value in, and the oldest out where it is full. */
export function remember(history: TailHistory, value: number): void {
  const { sorted, byAge } = history;
  if (byAge.length < history.capacity) byAge.push(value);
  else {
    const gone = byAge[history.oldest] ?? value;
    byAge[history.oldest] = value;
    history.oldest = (history.oldest + 1) % history.capacity;
    sorted.splice(rankOf(sorted, gone), 1);
  }
  sorted.splice(rankOf(sorted, value), 0, value);
}

/** How many lie below. */
function rankOf(sorted: readonly number[], value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? Number.POSITIVE_INFINITY) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
