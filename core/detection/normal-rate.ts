import { bounded, countEvidence, errorsEvidence, worseRates } from "./evidence.ts";
import { logSumExp } from "./robust.ts";

/**
 * What is normal for errors among requests, or for a count a step: learned with exponential forgetting.
 * `errors` of `requests` (for counts: of steps); `spread`: Pearson's dispersion over blocks of 1, 4 and 16 samples, so
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
  const spread = [1, 4, 16].map((size) => ({ size, k: 0, expected: 0, filled: 0, weight: 0, sum: 0 }));
  return { kind: "rate", bounded: isRatio, learned: 0, errors: 0, requests: 0, spread };
}

/** Takes one normal sample in; `keep` is the share of the past that is kept (0–1). */
export function learnRate(normal: RateNormal, k: number, n: number, keep: number): void {
  const usual = centerRate(normal);
  const scale = Math.sqrt(Math.max(n * usual, 0.25) * dispersionOf(normal));
  const taken = normal.learned < 8 ? k : Math.min(k, n * usual + 4 * scale); // one wild sample must not become normal
  if (normal.learned >= 4 && n > 0) for (const block of normal.spread) addToBlock(block, k, n * usual, keep);
  normal.errors = normal.errors * keep + taken;
  normal.requests = normal.requests * keep + n;
  normal.learned += 1;
}

function addToBlock(block: RateNormal["spread"][number], k: number, expected: number, keep: number): void {
  block.k += k;
  block.expected += expected;
  block.filled += 1;
  if (block.filled < block.size) return;
  const pearson = (block.k - block.expected) ** 2 / Math.max(block.expected, 1e-9);
  block.sum = block.sum * keep ** block.size + Math.min(pearson, 25);
  block.weight = block.weight * keep ** block.size + 1;
  block.k = 0;
  block.expected = 0;
  block.filled = 0;
}

/** The usual rate: errors a request, or counts a step. Half an event is added, so that it is never zero (Jeffreys). */
export function centerRate(normal: RateNormal): number {
  return (normal.errors + 0.5) / (normal.requests + 1);
}

/** Variance over that of independent events, at least 1; a prior of 1.5 worth ten samples until the history says more. */
export function dispersionOf(normal: RateNormal): number {
  let most = 1;
  for (const block of normal.spread) most = Math.max(most, (15 + block.sum) / (10 + block.weight));
  return most;
}

/** Highest rate still credible as "not worse": the one-sided 99 % limit of the usual rate (normal approximation). */
export function highestRate(normal: RateNormal, dispersion = dispersionOf(normal)): number {
  const events = normal.errors + 0.5;
  const upper = (events + 2.33 * Math.sqrt(events * dispersion) + 1.8) / (normal.requests + 1);
  return normal.bounded ? Math.min(upper, 0.95) : upper;
}

function ratesToBetOn(normal: RateNormal, high: number): readonly number[] {
  if (normal.bounded) return worseRates(high);
  return [1, 2.5, 8, 30].map((multiple) => Math.max(1, 2 * high) * multiple);
}

interface Limits {
  readonly dispersion: number;
  readonly high: number;
}

function nats({ bounded: isRatio }: RateNormal, k: number, n: number, rate: number, limits: Limits): number {
  const { dispersion, high } = limits;
  if (isRatio) return errorsEvidence(k, n, Math.max(rate, high * 1.0001), high, dispersion);
  return countEvidence(k, rate, high, dispersion);
}

/** Evidence against each alternative, for the running test. */
export function rateTrials(normal: RateNormal, k: number, n: number): readonly number[] {
  const dispersion = dispersionOf(normal);
  const limits = { dispersion, high: highestRate(normal, dispersion) };
  return ratesToBetOn(normal, limits.high).map((rate) => nats(normal, k, n, rate, limits));
}

/** Evidence that this one sample is no longer normal, whatever the new rate: for the place of the onset. */
export function rateSurprise(normal: RateNormal, k: number, n: number): number {
  const dispersion = dispersionOf(normal);
  const high = Math.min(highestRate(normal, dispersion), Math.max(centerRate(normal) * 1.2, 1e-6));
  const rates = ratesToBetOn(normal, high);
  const least = rates[0] ?? high;
  const limits = { dispersion, high };
  const all = [(high + least) / 2, ...rates].map((rate) => bounded(nats(normal, k, n, rate, limits)));
  return logSumExp(all) - Math.log(all.length);
}

/** Evidence that the rate is normal again rather than half as bad as it was. */
export function rateRecovery(normal: RateNormal, k: number, n: number, current: number): number {
  const dispersion = dispersionOf(normal);
  const high = highestRate(normal, dispersion);
  return -nats(normal, k, n, Math.max(high * 1.5, (high + current) / 2), { dispersion, high });
}
