import { describe, expect, it } from "vitest";
import { createRandom } from "../../../evals/bench/random.ts";

const DRAWS = 20_000;

/** Mean and variance of many draws. */
function momentsOf(draw: () => number): { mean: number; variance: number } {
  let sum = 0;
  let squares = 0;
  for (let i = 0; i < DRAWS; i++) {
    const x = draw();
    sum += x;
    squares += x * x;
  }
  return { mean: sum / DRAWS, variance: squares / DRAWS - (sum / DRAWS) ** 2 };
}

describe("draws from a seed", () => {
  const random = createRandom(11);
  it.each([
    ["a small Poisson", () => random.poisson(0.7), 0.7, 0.7],
    ["a large Poisson", () => random.poisson(900), 900, 900],
    ["a small binomial", () => random.binomial(20, 0.3), 6, 4.2],
    ["a large binomial", () => random.binomial(15_000, 0.01), 150, 148.5],
    ["a gamma of shape below one", () => random.gamma(0.4, 2), 0.8, 1.6],
    ["a negative binomial", () => random.negativeBinomial(5, 3), 5, 15],
    ["a standard normal", () => random.normal(), 0, 1],
  ])("have the mean and the variance of %s", (_name, draw, mean, variance) => {
    const seen = momentsOf(draw);
    expect(Math.abs(seen.mean - mean)).toBeLessThan(5 * Math.sqrt(variance / DRAWS));
    expect(Math.abs(seen.variance / variance - 1)).toBeLessThan(0.1);
  });

  it("are the same for the same seed", () => {
    expect(createRandom(3).poisson(80)).toBe(createRandom(3).poisson(80));
    expect(createRandom(3).uniform()).not.toBe(createRandom(4).uniform());
  });
});
