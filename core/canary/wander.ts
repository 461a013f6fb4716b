/**
 * How a measured level wanders about its mean: a first-order autoregression (`carry` from one sample to the next) that
 * makes up `share` of the variance, plus noise of each sample by itself. Its scale is left free.
 */
export interface Shape {
  readonly carry: number;
  readonly share: number;
}

/** Noise alone. */
export const WHITE: Shape = { carry: 0, share: 0 };

/**
 * The shapes that are told apart: noise alone, and wander that is remembered for about 1.4, 4.5 and 20 samples (the
 * carries halve and double a memory in between by no more than two), as a small, a middle and the whole part of the
 * variance. What is slower than a third of the samples of an ordinary analysis (sixty) cannot be told from a shift.
 */
export const SHAPES: readonly Shape[] = [
  WHITE,
  ...[0.5, 0.8, 0.95].flatMap((carry) => [0.15, 0.5, 1].map((share) => ({ carry, share }))),
];

/**
 * Shapes that a difference may have where the baseline alone has the other: the same memory, and as much noise beside
 * it as it likes, since a canary is measured on fewer requests.
 */
export function mayFollow(difference: Shape, baseline: Shape): boolean {
  if (difference.share === 0) return true;
  return difference.carry === baseline.carry && difference.share <= baseline.share;
}

/**
 * The samples so far, filtered by one shape: sums of squares and products of the standardised innovations of the data
 * and of a constant 1, from which the likelihood of any mean and scale follows. Memory of a few numbers.
 */
export interface Filtered {
  count: number;
  /** Log determinant of the covariance at scale 1. */
  logDet: number;
  dataData: number;
  dataOne: number;
  oneOne: number;
  /** Predicted wander of the data, of the constant, and its variance. */
  data: number;
  one: number;
  variance: number;
}

export function startFilter(shape: Shape): Filtered {
  return { count: 0, logDet: 0, dataData: 0, dataOne: 0, oneOne: 0, data: 0, one: 0, variance: shape.share };
}

/**
 * Takes one sample in (NaN: missing; time passes all the same). `noise`: variance of this sample's own noise relative
 * to an ordinary sample. Kalman's filter in one dimension.
 * @see Harvey (1989), Forecasting, Structural Time Series Models and the Kalman Filter, §3.2 and §3.4
 */
export function filter(state: Filtered, shape: Shape, value: number, noise = 1): void {
  if (!Number.isNaN(value)) {
    const spread = state.variance + (1 - shape.share) * noise;
    const data = value - state.data;
    const one = 1 - state.one;
    const gain = state.variance / spread;
    state.count += 1;
    state.logDet += Math.log(spread);
    state.dataData += (data * data) / spread;
    state.dataOne += (data * one) / spread;
    state.oneOne += (one * one) / spread;
    state.data += gain * data;
    state.one += gain * one;
    state.variance -= gain * state.variance;
  }
  state.data *= shape.carry;
  state.one *= shape.carry;
  state.variance = shape.carry ** 2 * state.variance + shape.share * (1 - shape.carry ** 2);
}

/**
 * Log likelihood of what a shape says of samples whose mean and scale are unknown, both integrated out (right Haar
 * prior): the likelihood of the data up to shift and scale, so that shapes can be compared. NaN of fewer than 2 samples
 * or of constant ones.
 * @see Eaton (1989), Group Invariance Applications in Statistics; Harville (1974), Biometrika 61:383–385
 */
export function shapeNats(state: Filtered): number {
  const { count, logDet, dataData, dataOne, oneOne } = state;
  if (count < 2 || isStill(state)) return Number.NaN;
  const left = dataData - dataOne ** 2 / oneOne;
  return -0.5 * (logDet + Math.log(oneOne) + (count - 1) * Math.log(left));
}

/** Whether all samples so far were one and the same value (to within what rounding leaves). */
export const isStill = ({ dataData, dataOne, oneOne }: Filtered): boolean =>
  !(dataData - dataOne ** 2 / oneOne > 1e-12 * dataData);
