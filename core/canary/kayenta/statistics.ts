import { quantile } from "../../detection/robust.ts";

/**
 * The figures that Kayenta computes of two samples. All inputs: finite numbers in one unit.
 * @see https://github.com/spinnaker/kayenta, `kayenta-judge/.../stats`
 */
export interface Summary {
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  readonly std: number;
  readonly count: number;
}

/** Least, greatest, mean, sample deviation (n − 1; 0 of one value) and count. All 0 of nothing, as Kayenta has it. */
export function summary(values: readonly number[]): Summary {
  const count = values.length;
  if (count === 0) return { min: 0, max: 0, mean: 0, std: 0, count };
  const average = mean(values);
  const squares = values.reduce((sum, value) => sum + (value - average) ** 2, 0);
  return {
    min: Math.min(...values),
    max: Math.max(...values),
    mean: average,
    std: count === 1 ? 0 : Math.sqrt(squares / (count - 1)),
    count,
  };
}

/** The `p`-th percentile (0–100), interpolated as R's type 7 does; NaN of nothing. */
export const percentile = (values: readonly number[], p: number): number => quantile(values, p / 100);

/** Arithmetic mean; NaN of nothing. */
export const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** Mean of the experiment over mean of the control; NaN where either is 0. */
export function meanRatio(control: readonly number[], experiment: readonly number[]): number {
  const below = mean(control);
  const above = mean(experiment);
  return below === 0 || above === 0 ? Number.NaN : above / below;
}

/** Distance of the means in pooled standard deviations, without sign (Cohen's d). NaN of fewer than three values in all. */
export function cohenD(first: readonly number[], second: readonly number[]): number {
  const a = summary(first);
  const b = summary(second);
  const pooled = ((a.count - 1) * a.std ** 2 + (b.count - 1) * b.std ** 2) / (a.count + b.count - 2);
  return Math.abs(b.mean - a.mean) / Math.sqrt(pooled);
}

/**
 * Chance that a value of the experiment exceeds one of the control, ties counting half: 0 to 1, 0.5 is no difference.
 * @see Vargha & Delaney (2000), J. Educ. Behav. Stat. 25(2):101–132
 */
export function cles(control: readonly number[], experiment: readonly number[]): number {
  const m = experiment.length;
  const ranks = averageRanks([...experiment, ...control]);
  const sum = ranks.slice(0, m).reduce((total, rank) => total + rank, 0);
  return (2 * sum - m * (m + 1)) / (2 * control.length * m);
}

/** Rank of each value among all, from 1; equal values share the mean of their ranks. O(n log n). */
export function averageRanks(values: readonly number[]): readonly number[] {
  const order = values.map((value, index) => ({ value, index })).sort((a, b) => a.value - b.value);
  const ranks = new Array<number>(values.length).fill(0);
  for (let from = 0; from < order.length; ) {
    let to = from + 1;
    while (to < order.length && order[to]?.value === order[from]?.value) to += 1;
    for (const { index } of order.slice(from, to)) ranks[index] = (from + 1 + to) / 2;
    from = to;
  }
  return ranks;
}
