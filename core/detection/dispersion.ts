/**
 * By how much counts vary more than independent events would: Pearson's statistic over blocks of 1, 4, 16 and 64
 * samples, learned with exponential forgetting, so that autocorrelated bursts count as well as those within a sample.
 */
export type Spread = {
  readonly size: number;
  deviation: number;
  variance: number;
  filled: number;
  weight: number;
  sum: number;
}[];

export const createSpread = (): Spread =>
  [1, 4, 16, 64].map((size) => ({ size, deviation: 0, variance: 0, filled: 0, weight: 0, sum: 0 }));

/** A block beyond so many times its variance counts as that: five deviations. */
const MOST_PEARSON = 25;

/**
 * Takes one normal sample in: its `deviation` from what was expected, the `variance` that independent events would
 * have there, and the share of the past that is kept (0–1).
 */
export function learnSpread(spread: Spread, deviation: number, variance: number, keep: number): void {
  for (const block of spread) {
    block.deviation += deviation;
    block.variance += variance;
    block.filled += 1;
    if (block.filled < block.size) continue;
    const pearson = block.deviation ** 2 / Math.max(block.variance, 1e-9);
    // No dispersion is below 1: what is not beyond five plain deviations is not cut.
    const most = pearson <= MOST_PEARSON ? MOST_PEARSON : MOST_PEARSON * dispersionIn(spread);
    const weight = block.variance / (block.variance + 0.5); // Pearson's statistic varies by 2 + 1/expected
    const kept = block.size === 1 ? keep : keep ** block.size;
    block.sum = block.sum * kept + weight * Math.min(pearson, most);
    block.weight = block.weight * kept + weight;
    block.deviation = 0;
    block.variance = 0;
    block.filled = 0;
  }
}

/** One failing request that its client tries three times, as clients do by default, is three errors at once. */
const PRIOR_DISPERSION = 3;
export const PRIOR_BLOCKS = 10;
/**
 * Sums over four samples are taken to vary half as much again as single ones, and those over each four times as many
 * to grow as they did before, until so many blocks of that length say otherwise.
 */
const PRIOR_GROWTH = 1.5;
const PRIOR_LONG_BLOCKS = 4;

/** What the blocks are taken to say before they say it: the dispersion within one sample, and by how much four exceed one. */
export interface SpreadPrior {
  readonly within: number;
  readonly growth: number;
}
export const USUAL_PRIOR: SpreadPrior = { within: PRIOR_DISPERSION, growth: PRIOR_GROWTH };

const NOTHING = { size: 1, sum: 0, weight: 0 } as const;

/**
 * Variance of sums of samples over that of independent events, at least 1: the most that any length of block shows. Of
 * sums over no more than `samples`, what longer blocks show does not count once it has been seen rather than supposed:
 * what varies over an hour has not varied within a minute.
 */
export function dispersionIn(spread: Spread, { within, growth } = USUAL_PRIOR, samples = Infinity): number {
  let most = 1;
  let before = 1;
  let prior = within;
  let worth = PRIOR_BLOCKS;
  const lasts = growth > 1;
  let enough = false;
  for (let i = 0; i < spread.length; i++) {
    const { size, sum, weight } = spread[i] ?? NOTHING;
    if (enough && weight >= PRIOR_LONG_BLOCKS) break;
    const seen = (worth * prior + sum) / (worth + weight);
    most = Math.max(most, seen);
    prior = seen * (size === 1 ? growth : lasts ? Math.max(1, seen / before) : 1);
    before = seen;
    worth = PRIOR_LONG_BLOCKS;
    enough = size >= samples;
  }
  return most;
}

/** The dispersion within single samples alone, at least 1; the first of the blocks. */
export function burstsIn([single]: Spread): number {
  if (single === undefined) return PRIOR_DISPERSION;
  return Math.max(1, (PRIOR_BLOCKS * PRIOR_DISPERSION + single.sum) / (PRIOR_BLOCKS + single.weight));
}
