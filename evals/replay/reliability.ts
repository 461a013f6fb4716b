import type { Claim } from "./judge.ts";

/** Claims of about one probability: how many, what they claimed on average, how many of them are so. */
export interface Reliability {
  /** From … to: a tenth of the scale; the last one holds 1 as well. */
  readonly from: number;
  readonly to: number;
  readonly claims: number;
  /** Mean of the claimed probabilities. */
  readonly claimed: number;
  /** Share that is true, with its 95 % interval (Wilson's score interval). */
  readonly actual: number;
  readonly low: number;
  readonly high: number;
}

const BINS = 10;
/** Two-sided 95 %. */
const Z = 1.959964;

/**
 * Claimed against true, in tenths of probability; empty tenths are left out.
 * @see DeGroot & Fienberg (1983), The Statistician 32:12–22, for reliability diagrams; Wilson (1927), J. Am. Stat. Assoc. 22:209–212
 */
export function reliability(claims: readonly Claim[]): readonly Reliability[] {
  return Array.from({ length: BINS }, (_, bin) => {
    const here = claims.filter(({ probability }) => Math.min(BINS - 1, Math.floor(probability * BINS)) === bin);
    const yes = here.filter(({ isTrue }) => isTrue).length;
    const claimed = here.reduce((sum, { probability }) => sum + probability, 0) / here.length;
    return { from: bin / BINS, to: (bin + 1) / BINS, claims: here.length, claimed, ...wilson(yes, here.length) };
  }).filter((one) => one.claims > 0);
}

function wilson(yes: number, all: number): { readonly actual: number; readonly low: number; readonly high: number } {
  const actual = yes / all;
  const middle = (actual + Z ** 2 / (2 * all)) / (1 + Z ** 2 / all);
  const reach = (Z / (1 + Z ** 2 / all)) * Math.sqrt((actual * (1 - actual)) / all + Z ** 2 / (4 * all ** 2));
  return { actual, low: Math.max(0, middle - reach), high: Math.min(1, middle + reach) };
}
