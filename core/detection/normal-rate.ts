import {
  bounded,
  burstEvidence,
  countEvidence,
  errorsEvidence,
  MATERIAL_ERROR_RATIO,
  MOST_RATE,
  unsureOfVariance,
  worseRates,
} from "./evidence.ts";
import { logSumExp } from "./robust.ts";

/**
 * What is normal for errors among requests, or for a count a step: learned with exponential forgetting.
 * `errors` of `requests` (for counts: of steps); `spread`: Pearson's dispersion over blocks of 1, 4, 16 and 64 samples, so
 * that autocorrelated bursts count as well as single-sample overdispersion.
 */
export interface RateNormal {
  readonly kind: "rate";
  readonly bounded: boolean;
  learned: number;
  errors: number;
  requests: number;
  spread: { readonly size: number; k: number; expected: number; filled: number; weight: number; sum: number }[];
}

export function createRateNormal(isRatio: boolean): RateNormal {
  const spread = [1, 4, 16, 64].map((size) => ({ size, k: 0, expected: 0, filled: 0, weight: 0, sum: 0 }));
  return { kind: "rate", bounded: isRatio, learned: 0, errors: 0, requests: 0, spread };
}

/** Takes one normal sample in; `keep` is the share of the past that is kept (0–1). */
export function learnRate(normal: RateNormal, k: number, n: number, keep: number): void {
  const usual = centerRate(normal);
  const scale = Math.sqrt(Math.max(n * usual, 0.25) * dispersionOf(normal));
  const taken = normal.learned < 8 ? k : Math.min(k, n * usual + 4 * scale); // one wild sample must not become normal
  if (normal.learned >= 4 && n > 0) for (const block of normal.spread) addToBlock(normal, block, k, n * usual, keep);
  normal.errors = normal.errors * keep + taken;
  normal.requests = normal.requests * keep + n;
  normal.learned += 1;
}

/** A block beyond so many times its variance counts as that: five deviations. */
const MOST_PEARSON = 25;

function addToBlock(
  normal: RateNormal,
  block: RateNormal["spread"][number],
  k: number,
  expected: number,
  keep: number,
) {
  block.k += k;
  block.expected += expected;
  block.filled += 1;
  if (block.filled < block.size) return;
  const pearson = (block.k - block.expected) ** 2 / Math.max(block.expected, 1e-9);
  const most = MOST_PEARSON * dispersionOf(normal);
  const weight = block.expected / (block.expected + 0.5); // Pearson's statistic varies by 2 + 1/expected
  block.sum = block.sum * keep ** block.size + weight * Math.min(pearson, most);
  block.weight = block.weight * keep ** block.size + weight;
  block.k = 0;
  block.expected = 0;
  block.filled = 0;
}

/** The usual rate: errors a request, or counts a step. Half an event is added, so that it is never zero (Jeffreys). */
export function centerRate(normal: RateNormal): number {
  return (normal.errors + 0.5) / (normal.requests + 1);
}

/** One failing request that its client tries three times, as clients do by default, is three errors at once. */
const PRIOR_DISPERSION = 3;
const PRIOR_BLOCKS = 10;
/**
 * Sums over four samples are taken to vary half as much again as single ones, and those over each four times as many
 * to grow as they did before, until so many blocks of that length say otherwise.
 */
const PRIOR_GROWTH = 1.5;
const PRIOR_LONG_BLOCKS = 4;

/** Variance of sums of samples over that of independent events, at least 1: the most that any length of block shows. */
export function dispersionOf(normal: RateNormal): number {
  let most = 1;
  let before = 1;
  let prior = PRIOR_DISPERSION;
  let worth = PRIOR_BLOCKS;
  for (const { size, sum, weight } of normal.spread) {
    const seen = (worth * prior + sum) / (worth + weight);
    most = Math.max(most, seen);
    prior = seen * (size === 1 ? PRIOR_GROWTH : Math.max(1, seen / before));
    before = seen;
    worth = PRIOR_LONG_BLOCKS;
  }
  return most;
}

/**
 * The dispersion of the sum over a stretch of so many requests as it was to be expected: a usual rate that is known
 * from `normal.requests` makes the predictive variance 1 + requests now / requests learned times as large
 * (gamma–Poisson), and the dispersion itself is known from so many samples only.
 */
function predictiveDispersion(normal: RateNormal, requests: number): number {
  const samples = PRIOR_BLOCKS + (normal.spread[0]?.weight ?? 0);
  return dispersionOf(normal) * unsureOfVariance(samples) * (1 + requests / (normal.requests + 1));
}

/** Highest rate still credible as "not worse": the one-sided 99 % limit of the usual rate (normal approximation). */
export function highestRate(normal: RateNormal): number {
  const events = normal.errors + 0.5;
  const upper = (events + 2.33 * Math.sqrt(events * dispersionOf(normal)) + 1.8) / (normal.requests + 1);
  return normal.bounded ? Math.min(upper, 0.95) : upper;
}

/** Counts a step are bet on at one and at twice the usual, and at multiples. */
function ratesToBetOn(normal: RateNormal, usual: number): readonly number[] {
  if (normal.bounded) return worseRates(usual);
  return [1, 2.5, 8, 30].map((multiple) => Math.max(1, 2 * usual) * multiple);
}

/** Deviations from an alternative's mean beyond which a sample does not come from it. */
const BELIEVABLE = 3;

/** Evidence against each alternative, for the running test; `suspect`: requests under suspicion before these. */
export function rateTrials(normal: RateNormal, k: number, n: number, suspect: number): readonly number[] {
  const dispersion = predictiveDispersion(normal, suspect + n);
  const usual = centerRate(normal);
  return ratesToBetOn(normal, usual).map((rate) => {
    // What even the worse rate would not give says nothing for it: a wild sample speaks for wild rates alone.
    const most = n * rate + BELIEVABLE * Math.sqrt(n * rate * dispersion);
    return burstEvidence(Math.min(k, most), n, rate, usual, dispersion);
  });
}

/** Evidence that this one sample is no longer normal, whatever the new rate: for the place of the onset. */
export function rateSurprise(normal: RateNormal, k: number, n: number): number {
  const dispersion = dispersionOf(normal);
  const high = Math.min(highestRate(normal), Math.max(centerRate(normal) * 1.2, 1e-6));
  const least = normal.bounded ? Math.max(2 * high, high + MATERIAL_ERROR_RATIO) : Math.max(1, 2 * high);
  // Few alternatives: every one costs each sample its share, since each sample may be as bad as it likes.
  const rates = [(high + least) / 2, ...[1, 2.5, 8, 30].map((multiple) => least * multiple)];
  const all = rates.map((rate) => bounded(evidence(normal, k, n, rate, high, dispersion)));
  return logSumExp(all) - Math.log(all.length);
}

/** Evidence that the rate is normal again rather than half as bad as it was. */
export function rateRecovery(normal: RateNormal, k: number, n: number, current: number): number {
  const high = highestRate(normal);
  return -evidence(normal, k, n, Math.max(high * 1.5, (high + current) / 2), high, dispersionOf(normal));
}

function evidence(normal: RateNormal, k: number, n: number, worse: number, usual: number, dispersion: number): number {
  if (!normal.bounded) return countEvidence(k, worse, usual, dispersion);
  return errorsEvidence(k, n, Math.min(worse, MOST_RATE), usual, dispersion);
}
