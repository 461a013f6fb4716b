import { describe, expect, it } from "vitest";
import {
  createSpread,
  dispersionIn,
  learnSpread,
  type Spread,
  USUAL_PRIOR,
} from "../../../core/detection/dispersion.ts";
import { createRandom } from "../../../evals/bench/random.ts";

/** Counts of 100 whose rate is one tenth higher or lower for 64 samples in turn. */
function wandering(samples: number): Spread {
  const random = createRandom(3);
  const spread = createSpread();
  for (let i = 0; i < samples; i++) {
    const rate = Math.floor(i / 64) % 2 === 0 ? 110 : 90;
    learnSpread(spread, random.poisson(rate) - 100, 100, 1);
  }
  return spread;
}
const over = (spread: Spread, samples: number): number => dispersionIn(spread, USUAL_PRIOR, samples);

describe("how much sums of samples vary", () => {
  it("is asked of sums over no more samples than are under suspicion, once longer ones have been seen", () => {
    const spread = wandering(1440);
    expect(over(spread, 1)).toBeLessThan(3);
    expect(over(spread, 4)).toBeLessThan(6);
    expect(over(spread, 64)).toBeGreaterThan(20);
  });

  it("grows with the stretch, and is the most that any length shows for a stretch of any length", () => {
    const spread = wandering(1440);
    const all = [1, 2, 4, 5, 16, 17, 64, 1000].map((samples) => over(spread, samples));
    expect(all).toEqual([...all].sort((a, b) => a - b));
    expect(all.at(-1)).toBe(dispersionIn(spread));
  });

  it("counts what is supposed of longer sums for as long as hardly any have been seen", () => {
    const spread = createSpread();
    for (let i = 0; i < 12; i++) learnSpread(spread, i % 2 === 0 ? 1 : -1, 1, 1);
    expect(over(spread, 1)).toBe(dispersionIn(spread));
  });
});
