/**
 * How large the bursts are in which errors come within one sample: what a past says for a few sizes of them, as log
 * likelihoods against single errors, learned with exponential forgetting. Where errors are few their variance tells
 * little of that; that all of them came alone tells a lot, and that some came together does as well.
 *
 * A size is the variance of a sample's errors over that of independent ones: counts are taken as negative binomial, that
 * is as bursts (of Fisher's logarithmic sizes) that come independently of one another.
 * @see Quenouille (1949), Biometrics 5(2):162–164, for bursts; Fisher (1941), Ann. Eugenics 11:182–187, for the
 *   likelihood of a negative binomial
 */
export interface Bursts {
  events: number;
  expected: number;
  /** For each size: what events that came together say for it. */
  readonly together: number[];
}

/** The largest bursts that are weighed: a client that tries three times behind a proxy that does makes nine of one. */
export const LARGEST_BURST = 8;
/** The smallest excess over single errors: six hours of samples at 15 s tell so much, √(2/n), within one deviation. */
const LEAST_EXCESS = 0.03;
/** Each size stands for those up to the next, whose excess over single errors is 1.6 times as large. */
const STEPS = 12;
const SIZES = Array.from({ length: STEPS }, (_, i) => {
  const size = 1 + LEAST_EXCESS * ((LARGEST_BURST - 1) / LEAST_EXCESS) ** (i / (STEPS - 1));
  return { size, perEvent: Math.log(size), perExpected: 1 - Math.log(size) / (size - 1) };
});
/** So much doubt is left that bursts are larger than is taken: a tenth. What they would then cost is a tenth as likely. */
const DOUBT = 0.1;

export const createBursts = (): Bursts => ({ events: 0, expected: 0, together: SIZES.map(() => 0) });

/** Takes one normal sample in: its events, how many were expected, and the share of the past that is kept (0–1). */
export function learnBursts(bursts: Bursts, events: number, expected: number, keep: number): void {
  bursts.events = bursts.events * keep + events;
  bursts.expected = bursts.expected * keep + expected;
  const whole = Math.round(events);
  const { together } = bursts;
  for (let i = 0; i < SIZES.length; i++) {
    const crowding = ((SIZES[i]?.size ?? 1) - 1) / Math.max(expected, 1e-9);
    together[i] = (together[i] ?? 0) * keep + (whole < 2 ? 0 : risingLogs(whole, crowding));
  }
}

/** Up to here each factor is multiplied out; from here on the sum is an integral, off by less than 10⁻⁴. */
const MULTIPLIED = 8;

/** Σ log(1 + j·a) over 0 ≤ j < k: how a negative binomial's probability of `k` grows over that of independent events. */
function risingLogs(k: number, a: number): number {
  let product = 1;
  for (let j = 1; j < Math.min(k, MULTIPLIED); j++) product *= 1 + j * a;
  if (k <= MULTIPLIED) return Math.log(product);
  // Euler and Maclaurin's formula from MULTIPLIED to k, to its first derivatives.
  const [low, high] = [1 + MULTIPLIED * a, 1 + k * a];
  const [logLow, logHigh] = [Math.log(low), Math.log(high)];
  const integral = (high * logHigh - low * logLow) / a - (k - MULTIPLIED);
  return Math.log(product) + integral + (logLow - logHigh) / 2 + (a / 12) * (1 / high - 1 / low);
}

/**
 * The size (1–8) that bursts do not exceed, with `DOUBT` left, where every size was as likely before the past was seen (Jeffreys' prior of a scale);
 * null where they may well be as large as the largest, or larger. Nothing seen: 7.7.
 */
export function burstLimit({ events, expected, together }: Bursts): number | null {
  const nats = SIZES.map(
    ({ perEvent, perExpected }, i) => (together[i] ?? 0) + expected * perExpected - events * perEvent,
  );
  const top = Math.max(0, ...nats);
  const weights = nats.map((one) => Math.exp(one - top));
  let allowed = DOUBT * weights.reduce((sum, one) => sum + one, Math.exp(-top));
  let next: number | null = null;
  for (let i = SIZES.length - 1; i >= 0; i--) {
    const weight = weights[i] ?? 0;
    const { size = 1 } = SIZES[i] ?? {};
    if (weight > allowed) return next === null ? null : next - ((next - size) * allowed) / weight;
    allowed -= weight;
    next = size;
  }
  const single = Math.exp(-top);
  return next === null ? null : next - ((next - 1) * allowed) / single;
}
