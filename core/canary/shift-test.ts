import { logSumExp } from "../detection/robust.ts";
import { type Filtered, filter, isStill, mayFollow, SHAPES, shapeNats, startFilter, WHITE } from "./wander.ts";

/**
 * What the baseline's own samples say against each shape of wander, as an e-value that may be read at any time: the
 * mean likelihood over all shapes against that of this one, whatever the mean and the scale.
 */
export interface WanderEvidence {
  /** One sample of the baseline more, oldest first (NaN: missing). */
  take(value: number, noise?: number): void;
  /** For each of `SHAPES`: log evidence against every baseline under which a difference may have that shape; nats. */
  against(): readonly number[];
}

export function createWanderEvidence(): WanderEvidence {
  const states = SHAPES.map(startFilter);
  let told: readonly number[] | null = null;
  return {
    take(value, noise) {
      for (const [i, state] of states.entries()) filter(state, SHAPES[i] ?? WHITE, value, noise);
      told = null;
    },
    against() {
      told ??= wanderNats(states);
      return told;
    },
  };
}

/** For each shape of a difference: the shapes of the baseline, by index, under which it may be. */
const UNDER = SHAPES.map((difference) =>
  SHAPES.flatMap((baseline, index) => (mayFollow(difference, baseline) ? [index] : [])),
);
const NO_EVIDENCE = SHAPES.map(() => 0);
/** So many samples without any movement say that nothing wanders: what then scatters is each sample's own noise. */
const STILL_SAMPLES = 8;
const NOISE_ALONE = SHAPES.map((shape) => (shape.share === 0 ? 0 : Number.POSITIVE_INFINITY));

function wanderNats(states: readonly Filtered[]): readonly number[] {
  if ((states[0]?.count ?? 0) >= STILL_SAMPLES && states.every(isStill)) return NOISE_ALONE;
  const shapes = states.map(shapeNats);
  if (shapes.some(Number.isNaN)) return NO_EVIDENCE;
  const mean = logSumExp(shapes) - Math.log(SHAPES.length);
  return UNDER.map((under) => mean - under.reduce((most, index) => Math.max(most, shapes[index] ?? 0), -Infinity));
}

/**
 * A test of the mean of differences (canary less baseline) that may be looked at after every sample. Neither their
 * scale nor their wander is taken to be known; shapes of wander that the baseline itself does not show are ruled out.
 *
 * Under a hypothesis with a given shape there are two e-processes: a fixed mixture of models for "whatever it is", over
 * the largest likelihood of any mean inside the hypothesis and any scale (universal inference), and the evidence of the
 * baseline against that shape. Their mean is an e-process however the two hang together; the least over all shapes is
 * one for the whole hypothesis. The chance that it ever exceeds x is then at most 1/x.
 *
 * @see Wasserman, Ramdas & Balakrishnan (2020), "Universal inference", PNAS 117(29):16880–16890, §7 (sequential);
 *   Vovk & Wang (2021), Ann. Stat. 49(3):1736–1754, Prop. 3.1, for means of e-values under any dependence
 */
export interface ShiftTest {
  /** One difference more (NaN: missing), with the variance of its noise relative to an ordinary one. */
  take(difference: number, noise?: number): void;
  /** Log evidence against "the mean is at most so", resp. at least; nats. `wander`: of the baseline's samples so far. */
  againstAtMost(mean: number, wander: readonly number[]): number;
  againstAtLeast(mean: number, wander: readonly number[]): number;
}

/**
 * Shifts of the alternative, as deviations of the noise: a mean near 0, for "no worse", and one far off, for "worse".
 * Each has half of the prior; a factor of two either way costs less than half a nat.
 */
const REACHES = [0.5, 8];
const PRECISIONS = REACHES.map((reach) => 1 / reach ** 2);

/** `scale`: a first guess of the deviation of a difference, in its unit; off by a factor of ten it costs two nats. */
export function createShiftTest(scale: number): ShiftTest {
  const states: Filtered[] = SHAPES.map(startFilter);
  let known: number | null = null;
  const alternative = () => {
    known ??= logSumExp(states.map((state) => mixtureNats(state, scale))) - Math.log(SHAPES.length);
    return known;
  };
  const against = (mean: number, atMost: boolean, wander: readonly number[]) => {
    if (states[0]?.count === 0) return 0;
    let least = Number.POSITIVE_INFINITY;
    for (const [i, state] of states.entries()) {
      const estimate = state.dataOne / state.oneOne;
      const inside = atMost ? Math.min(mean, estimate) : Math.max(mean, estimate);
      least = Math.min(least, logMean(alternative() - largestNats(state, inside), wander[i] ?? 0));
    }
    return least;
  };
  return {
    take(difference, noise) {
      for (const [i, state] of states.entries()) filter(state, SHAPES[i] ?? WHITE, difference, noise);
      known = null;
    },
    againstAtMost: (mean, wander) => against(mean, true, wander),
    againstAtLeast: (mean, wander) => against(mean, false, wander),
  };
}

/** log of the mean of two values given by their logs; the greater one finite. */
function logMean(a: number, b: number): number {
  if (b === Number.POSITIVE_INFINITY) return b;
  const apart = Math.abs(a - b);
  return Math.max(a, b) - Math.LN2 + (apart > 40 ? 0 : Math.log1p(Math.exp(-apart)));
}

/** The largest log likelihood with this mean, at any scale. */
function largestNats({ count, logDet, dataData, dataOne, oneOne }: Filtered, mean: number): number {
  const squares = Math.max(0, dataData - 2 * mean * dataOne + mean ** 2 * oneOne);
  return -0.5 * (logDet + count * (Math.log((2 * Math.PI * squares) / count) + 1));
}

/**
 * Log of the density of the samples under the alternative: a normal mean about 0 (`REACHES` deviations wide) and an
 * inverse gamma variance of shape 1 about `scale`², both integrated out.
 * @see Bernardo & Smith (1994), Bayesian Theory, §5.2 and appendix A.2 (normal-gamma)
 */
function mixtureNats({ count, logDet, dataData, dataOne, oneOne }: Filtered, scale: number): number {
  // The square of a scale far below any measurement is 0, of which there is no logarithm.
  const prior = Math.max(scale ** 2, Number.MIN_VALUE);
  let parts = Number.NEGATIVE_INFINITY;
  for (const precision of PRECISIONS) {
    const squares = Math.max(0, dataData - dataOne ** 2 / (precision + oneOne));
    const width = 0.5 * Math.log(precision / (precision + oneOne));
    parts = logMean(parts, width - (1 + count / 2) * Math.log(prior + squares / 2)) + Math.LN2;
  }
  const shared = logGammaHalves(count + 2) + Math.log(prior) - 0.5 * (count * Math.log(2 * Math.PI) + logDet);
  return shared + parts - Math.log(PRECISIONS.length);
}

const halves: number[] = [Number.POSITIVE_INFINITY, 0.5 * Math.log(Math.PI), 0];

/** log Γ(n/2) for whole n ≥ 1, by Γ(x + 1) = x Γ(x). */
function logGammaHalves(n: number): number {
  for (let i = halves.length; i <= n; i++) halves.push((halves[i - 2] ?? 0) + Math.log(i / 2 - 1));
  return halves[n] ?? Number.POSITIVE_INFINITY;
}
