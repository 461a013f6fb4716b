/**
 * The sums, over every moment at which it could have begun, of the likelihood ratios since then, one for each
 * alternative: the Shiryaev–Roberts e-detector. Its mean over the alternatives alarms within m samples with a
 * probability of at most m·α while nothing is worse, whenever one looks, and once in 1/α samples on average.
 * @see Shin, Ramdas & Rinaldo (2023), "E-detectors", arXiv:2203.03532; Roberts (1966), Technometrics 8(3):411–430
 */
export type Begun = number[];

// Counted loops: an iterator makes an object for each step, and these run for every sample of every signal.

/** Sums are kept from overflowing; they say everything long before. */
const MOST = 1e300;

/** Takes one sample in, and gives `begun` back: `nats[i]` is its evidence (log likelihood ratio) for the i-th alternative. */
export function takeEvidence(begun: Begun, nats: readonly number[]): Begun {
  for (let i = 0; i < nats.length; i++) begun[i] = Math.min(MOST, (1 + (begun[i] ?? 0)) * Math.exp(nats[i] ?? 0));
  return begun;
}

/** Evidence says so much at most, in nats: more than that overflows as a ratio. */
const MOST_NATS = 700;

/** The same for the evidence of each alternative since it was last at nothing, in nats. */
export function addUp(evidence: number[], nats: readonly number[]): void {
  for (let i = 0; i < nats.length; i++)
    evidence[i] = Math.min(MOST_NATS, Math.max(0, evidence[i] ?? 0) + (nats[i] ?? 0));
}

/** The strongest of it; 0 where none speaks for any alternative. */
export function strongest(evidence: readonly number[]): number {
  let most = 0;
  for (let i = 0; i < evidence.length; i++) most = Math.max(most, evidence[i] ?? 0);
  return most;
}

/** Whether it alarms when it may spend `alpha` (0–1) a sample. */
export function hasDetected(begun: Begun, alpha: number): boolean {
  let sum = 0;
  for (let i = 0; i < begun.length; i++) sum += begun[i] ?? 0;
  return sum * alpha >= Math.max(1, begun.length);
}
