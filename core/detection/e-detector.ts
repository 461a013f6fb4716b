/**
 * The sums, over every moment at which it could have begun, of the likelihood ratios since then, one for each
 * alternative: the Shiryaev–Roberts e-detector. Its mean over the alternatives alarms within m samples with a
 * probability of at most m·α while nothing is worse, whenever one looks, and once in 1/α samples on average.
 * @see Shin, Ramdas & Rinaldo (2023), "E-detectors", arXiv:2203.03532; Roberts (1966), Technometrics 8(3):411–430
 */
export type Begun = readonly number[];

/** Sums are kept from overflowing; they say everything long before. */
const MOST = 1e300;

/** Takes one sample in: `nats[i]` is its evidence (log likelihood ratio) for the i-th alternative. */
export function takeEvidence(begun: Begun, nats: readonly number[]): Begun {
  return nats.map((one, i) => Math.min(MOST, (1 + (begun[i] ?? 0)) * Math.exp(one)));
}

/** Whether it alarms when it may spend `alpha` (0–1) a sample. */
export function hasDetected(begun: Begun, alpha: number): boolean {
  return begun.reduce((sum, one) => sum + one, 0) * alpha >= Math.max(1, begun.length);
}
