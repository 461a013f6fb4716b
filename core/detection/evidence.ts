/**
 * Evidence that one sample gives for "worse", as a log likelihood ratio against each of a few alternatives.
 *
 * A running product of such ratios is an e-process under "not worse": it may be looked at after every sample. Kept
 * from falling below 1 it is a CUSUM e-detector, whose mean time to a false alarm is at least e^threshold samples.
 *
 * @see Lindon, Sanden & Shirikian (2022), "Rapid Regression Detection in Software Deployments through Sequential
 *   Testing", KDD; Howard, Ramdas, McAuliffe & Sekhon (2021), Ann. Stat. 49(2):1055–1080; Shin, Ramdas & Rinaldo
 *   (2023), "E-detectors", arXiv:2203.03532
 */

/** What a signal may spend a sample: a false alarm once in a million of them, at 15 s once in half a year. */
export const ALPHA = 1e-6;

/** The evidence that an alarm needs, in nats, before what it costs to bet on several alternatives. */
export const ALARM_NATS = Math.log(1 / ALPHA);

/** The normal quantile of ALPHA. */
const Z_ALPHA = 4.753;

/**
 * By how much a variance learned from so many independent samples must be taken larger, so that what lies beyond
 * ALPHA's quantile is as rare as if the variance were known: the square of Student's quantile over the normal one, to
 * the first order in 1/n.
 * @see Cornish & Fisher (1938), Rev. Int. Stat. Inst. 5(4):307–320
 */
export const unsureOfVariance = (independent: number): number =>
  1 + (Z_ALPHA ** 2 + 1) / (2 * Math.max(1, independent));

/** Rates are bet on at so many values, a constant ratio apart: neighbours differ by little in what they find. */
const RATES = 12;

/** No single sample may carry more than half of what an alarm needs: one wild sample is never an alarm. */
export const SAMPLE_NATS = (ALARM_NATS + Math.log(RATES)) / 2;

/**
 * A rise in errors that people would be paged for: six times the budget of a 99.9 % objective.
 * @see Google, The Site Reliability Workbook, ch. 5 "Alerting on SLOs", table 5-8 (burn rate 6)
 */
export const MATERIAL_ERROR_RATIO = 0.006;

/** A quarter of the level: the tolerance within which Kayenta's judge calls two levels the same. */
export const MATERIAL_LEVEL = 0.25;

/** Nearly all requests fail: no rate beyond it is bet on. */
export const MOST_RATE = 0.98;

/**
 * The rates to bet on, from the least one that matters (`leastRatio` times the usual, and 0.6 % of requests more) up to
 * nearly all: a geometric grid, ascending.
 */
export function worseRates(normal: number, leastRatio = 1 + MATERIAL_LEVEL): readonly number[] {
  const least = Math.min(0.95, Math.max(normal * leastRatio, normal + MATERIAL_ERROR_RATIO));
  const ratio = (MOST_RATE / least) ** (1 / (RATES - 1));
  const rates: number[] = [];
  for (let i = 0; i < RATES; i++) rates.push(least * ratio ** i);
  return rates;
}

/**
 * Errors `k` of `n` requests: log likelihood ratio of the rate `worse` against `usual`, divided by the dispersion (≥ 1).
 * E e^evidence ≤ 1 where requests fail independently of one another, and, for rare errors, where they fail in bursts of
 * up to `dispersion` (of which there are n·usual/dispersion, Poisson): e^evidence is then the ratio for the bursts.
 */
export function errorsEvidence(k: number, n: number, worse: number, usual: number, dispersion: number): number {
  return (k * Math.log(worse / usual) + (n - k) * Math.log((1 - worse) / (1 - usual))) / dispersion;
}

/** A count `k` in one step: Poisson log likelihood ratio, divided likewise. */
export function countEvidence(k: number, worse: number, usual: number, dispersion: number): number {
  return (k * Math.log(worse / usual) - (worse - usual)) / dispersion;
}

/**
 * Events `k` of exposure `n` (requests, or steps) for a test that must hold whatever the size of bursts: the exponential
 * tilt of a negative binomial whose variance is `dispersion` times its mean, from the rate `usual` to `worse`. It is
 * linear in `k`, and its moment generating function grows with the dispersion, so that E e^evidence ≤ 1 for every
 * smaller dispersion too, for Poisson counts, and for binomial ones (which Poisson's bounds). One event is worth at most
 * log(dispersion / (dispersion − 1)): a long burst must not be many witnesses.
 */
export function burstEvidence(k: number, n: number, worse: number, usual: number, dispersion: number): number {
  const shape = usual / (dispersion - 1); // of one unit of exposure
  if (!(shape < 1e6 * usual)) return k * Math.log(worse / usual) - n * (worse - usual);
  const more = Math.log((shape + worse) / (shape + usual));
  return k * (Math.log(worse / usual) - more) - n * shape * more;
}

/** What two arms count in the same step: events `k` of an exposure `n` (requests). `k` need not be whole. */
export interface Counted {
  readonly k: number;
  readonly n: number;
}

/**
 * Evidence from two arms side by side that `fresh` has events more than `tolerated` times as often as `old`, for the
 * alternative that it has them `ratio` (> 1) times as often again. What both share (a shock, an outage, the hour) drops
 * out: E e^evidence ≤ 1 for every common rate, known or not, that moves from step to step as it likes, and for events
 * that come in bursts of each arm's own whose variance is up to `dispersion` (≥ 1) times the mean (negative binomial;
 * Poisson and binomial counts included, since moment generating functions grow with the dispersion). With a dispersion
 * of 1 it is the likelihood ratio of the multinomial test, given how many events both had together.
 * @see Lindon & Malek (2022), "Anytime-Valid Inference for Multinomial Count Data", NeurIPS 35; Lindon, Sanden &
 *   Shirikian (2022), KDD, for its use on deployments
 */
export function besideEvidence(
  fresh: Counted,
  old: Counted,
  { ratio, tolerated, dispersion }: { readonly ratio: number; readonly tolerated: number; readonly dispersion: number },
): number {
  const share = (tolerated * fresh.n) / (tolerated * fresh.n + old.n);
  if (!(share > 0 && share < 1)) return 0;
  const more = ratio / (1 + share * (ratio - 1)); // the means move so that the expected total stays
  const burst = dispersion - 1;
  if (burst < 1e-6) return fresh.k * Math.log(more) + old.k * Math.log((1 - share * more) / (1 - share));
  // Tilts of negative binomials: log E e^(λk) is proportional to −log(1 − burst·(e^λ − 1)), the rate cancels.
  const grown = Math.log((1 + burst * more) / dispersion);
  const shrunk = -grown * (share / (1 - share)); // the other arm pays exactly for what this one gains
  const less = (dispersion * Math.exp(shrunk) - 1) / burst;
  if (!(less > 0)) return 0;
  const tilt = (mean: number) => Math.log((mean * dispersion) / (1 + burst * mean));
  return fresh.k * tilt(more) + old.k * tilt(less);
}

/** An innovation `u` of an autocorrelated level whose mean moves by `shift`; `variance` is that of innovations. */
export function levelEvidence(u: number, shift: number, variance: number): number {
  return (shift / variance) * (u - shift / 2);
}

export const bounded = (nats: number): number => Math.max(-SAMPLE_NATS, Math.min(SAMPLE_NATS, nats));
