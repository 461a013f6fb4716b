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

/** A false alarm no more often than once in a million samples of a signal: at 15 s, once in half a year. */
export const ALARM_NATS = Math.log(1e6);

/** No single sample may carry more than half of what an alarm needs: one wild sample is never an alarm. */
export const SAMPLE_NATS = (ALARM_NATS + Math.log(4)) / 2;

/**
 * A rise in errors that people would be paged for: six times the budget of a 99.9 % objective.
 * @see Google, The Site Reliability Workbook, ch. 5 "Alerting on SLOs", table 5-8 (burn rate 6)
 */
export const MATERIAL_ERROR_RATIO = 0.006;

/** A quarter of the level: the tolerance within which Kayenta's judge calls two levels the same. */
export const MATERIAL_LEVEL = 0.25;

/** The rates to bet on, given the highest rate that is still "not worse": the least material one, and multiples. */
export function worseRates(normal: number): readonly number[] {
  const least = Math.max(2 * normal, normal + MATERIAL_ERROR_RATIO);
  return [1, 2.5, 8, 30].map((multiple) => Math.min(least * multiple, 0.5 + least / 2, 0.98));
}

/** Errors `k` of `n` requests: binomial log likelihood ratio, tempered by the dispersion (≥ 1) seen in the past. */
export function errorsEvidence(k: number, n: number, rate: number, normal: number, dispersion: number): number {
  return (k * Math.log(rate / normal) + (n - k) * Math.log((1 - rate) / (1 - normal))) / dispersion;
}

/** A count `k` in one step: Poisson log likelihood ratio, tempered likewise. */
export function countEvidence(k: number, rate: number, normal: number, dispersion: number): number {
  return (k * Math.log(rate / normal) - (rate - normal)) / dispersion;
}

/** An innovation `u` of an autocorrelated level whose mean moves by `shift`; `variance` is that of innovations. */
export function levelEvidence(u: number, shift: number, variance: number): number {
  return (shift / variance) * (u - shift / 2);
}

export const bounded = (nats: number): number => Math.max(-SAMPLE_NATS, Math.min(SAMPLE_NATS, nats));
