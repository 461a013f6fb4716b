import { createRandom, type Random } from "./random.ts";

/** Limits of a rate of which `hits` of `trials` were seen. */
export interface RateLimits {
  readonly rate: number;
  /** Two-sided 95 % interval. */
  readonly lower: number;
  readonly upper: number;
  /** One-sided 95 % limit: the rate is no higher than this. */
  readonly upperLimit: number;
}

/**
 * The exact limits of a binomial rate.
 * @see Clopper & Pearson (1934), Biometrika 26(4):404–413
 */
export function clopperPearson(hits: number, trials: number): RateLimits {
  const above = (tail: number) => (hits === trials ? 1 : bisect((p) => binomialCdf(hits, trials, p) > tail));
  const below = (tail: number) => (hits === 0 ? 0 : bisect((p) => 1 - binomialCdf(hits - 1, trials, p) < tail));
  return { rate: hits / trials, lower: below(0.025), upper: above(0.025), upperLimit: above(0.05) };
}

/** The point on 0–1 up to which `holds`. */
function bisect(holds: (p: number) => boolean): number {
  let low = 0;
  let high = 1;
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (holds(middle)) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** P(X ≤ hits) of `trials`, summed from the term of `hits` downwards. O(hits). */
export function binomialCdf(hits: number, trials: number, p: number): number {
  if (hits < 0) return 0;
  if (hits >= trials || p <= 0) return 1;
  if (p >= 1) return 0;
  let log = trials * Math.log1p(-p);
  let sum = Math.exp(log);
  for (let k = 1; k <= hits; k++) {
    log += Math.log((trials - k + 1) / k) + Math.log(p / (1 - p));
    sum += Math.exp(log);
  }
  return Math.min(1, sum);
}

/**
 * The exact two-sided 95 % limits of the mean of a Poisson count of which `count` were seen.
 * @see Garwood (1936), Biometrika 28(3/4):437–442
 */
export function poissonLimits(count: number): Limits {
  // Above this mean no count as small as this is seen once in 10⁶.
  const most = count + 10 * Math.sqrt(count + 1) + 10;
  const mean = (holds: (mean: number) => boolean) => most * bisect((share) => holds(most * share));
  return {
    lower: count === 0 ? 0 : mean((one) => 1 - poissonCdf(count - 1, one) < 0.025),
    upper: mean((one) => poissonCdf(count, one) > 0.025),
  };
}

/** P(X ≤ count) at a mean. O(count). */
function poissonCdf(count: number, mean: number): number {
  let term = Math.exp(-mean);
  let sum = term;
  for (let k = 1; k <= count; k++) {
    term *= mean / k;
    sum += term;
  }
  return Math.min(1, sum);
}

/** The middle value; an infinite one stays infinite. */
export function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const low = sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN;
  const high = sorted[Math.ceil((sorted.length - 1) / 2)] ?? Number.NaN;
  return low === high ? low : (low + high) / 2;
}

/** What several runs of one measurement gave. */
export interface Spread {
  readonly median: number;
  readonly lowest: number;
  readonly highest: number;
}

/**
 * The middle of the runs and their extremes. The extremes of n runs enclose the median of all such runs with a
 * probability of 1 − 2¹⁻ⁿ, whatever their distribution (97 % for six). NaN of nothing.
 * @see David & Nagaraja, Order Statistics (2003), §7.1
 */
export function spreadOf(values: readonly number[]): Spread {
  if (values.length === 0) return { median: Number.NaN, lowest: Number.NaN, highest: Number.NaN };
  return { median: medianOf(values), lowest: Math.min(...values), highest: Math.max(...values) };
}

/** A figure's limits, 95 % two-sided. */
export interface Limits {
  readonly lower: number;
  readonly upper: number;
}

/**
 * Limits of the median of what independent values come from, whatever their distribution: the innermost pair of order
 * statistics that enclose it with at least 95 %; null below six values, of which none do. Infinite values stay infinite.
 * @see David & Nagaraja, Order Statistics (2003), §7.1
 */
export function medianLimits(values: readonly number[]): Limits | null {
  const n = values.length;
  let rank = 0;
  while (2 * binomialCdf(rank, n, 0.5) <= 0.05) rank += 1;
  if (rank === 0) return null;
  const sorted = values.toSorted((a, b) => a - b);
  return { lower: sorted[rank - 1] ?? Number.NaN, upper: sorted[n - rank] ?? Number.NaN };
}

/** So many resamples place a 2.5 % quantile to within about half a percent of probability. */
const RESAMPLES = 1000;

/**
 * Limits of a figure by the percentile bootstrap: the 2.5 and 97.5 % quantiles of what `resampled` gives for samples drawn
 * anew, with replacement, by the random numbers that it is handed. Null where it gives no figure.
 * @see Efron & Tibshirani, An Introduction to the Bootstrap (1993), ch. 13
 */
export function bootstrapLimits(
  resampled: (random: Random) => number | null,
  seed: number,
  resamples = RESAMPLES,
): Limits | null {
  const random = createRandom(seed);
  const figures: number[] = [];
  for (let i = 0; i < resamples; i++) {
    const figure = resampled(random);
    if (figure !== null && !Number.isNaN(figure)) figures.push(figure);
  }
  if (figures.length === 0) return null;
  figures.sort((a, b) => a - b);
  const at = (q: number) => figures[Math.round(q * (figures.length - 1))] ?? Number.NaN;
  return { lower: at(0.025), upper: at(0.975) };
}

/** As many values as there are, drawn from them with replacement. */
export const drawnAgain = <T>(values: readonly T[], random: Random): readonly T[] =>
  values.map(() => values[Math.floor(random.uniform() * values.length)] as T);

/** As people read them: ` (1.2–3.4)`; nothing where there are none. */
export const limitsText = (limits: Limits | null, text: (value: number) => string): string =>
  limits === null ? "" : ` (${text(limits.lower)}–${text(limits.upper)})`;
