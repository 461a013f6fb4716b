import type { Onset } from "../model/finding.ts";
import { logSumExp } from "./robust.ts";

/**
 * When a signal stopped being normal, from the evidence of each sample that it is not (log likelihood ratio, NaN
 * where a sample is missing): the posterior of a change point under a flat prior, each later sample free to be as bad
 * as it likes, so that a ramp does not pull the estimate to its middle.
 *
 * `surprises[i]` belongs to the sample that ends at `firstAt + i·stepMs`; a change point before it lies in the step
 * that it covers. Bounds: the central 95 %. Null of nothing.
 * @see Smith (1975), Biometrika 62(2):407–416, for the posterior of a single change point
 */
export function locateOnset(surprises: readonly number[], firstAt: number, stepMs: number): Onset | null {
  if (surprises.length === 0) return null;
  const logs: number[] = new Array(surprises.length).fill(Number.NEGATIVE_INFINITY);
  let sum = 0;
  for (let i = surprises.length - 1; i >= 0; i--) {
    const surprise = surprises[i] ?? Number.NaN;
    if (Number.isNaN(surprise)) continue; // a missing sample cannot be where it began
    sum += surprise;
    logs[i] = sum;
  }
  const total = logSumExp(logs);
  if (!Number.isFinite(total)) return null;
  const weights = logs.map((log) => Math.exp(log - total));
  const best = weights.indexOf(Math.max(...weights));
  const begin = (index: number) => firstAt + (index - 1) * stepMs;
  const afterGap = (index: number): number => (Number.isNaN(surprises[index - 1] ?? 0) ? afterGap(index - 1) : index);
  const early = quantileIndex(weights, 0.025);
  const late = quantileIndex(weights, 0.975);
  return { at: begin(best), earliest: begin(afterGap(Math.min(early, best))), latest: begin(Math.max(late, best) + 1) };
}

function quantileIndex(weights: readonly number[], q: number): number {
  let sum = 0;
  for (const [index, weight] of weights.entries()) {
    sum += weight;
    if (sum >= q) return index;
  }
  return weights.length - 1;
}
