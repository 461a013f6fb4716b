import { describe, expect, it } from "vitest";
import { arrivals, MIX } from "../../../evals/sandbox/traffic/arrivals.ts";

const take = (count: number, rate: number, seed: number) => arrivals(rate, seed).take(count).toArray();
const N = 20_000;

describe("the visitors' arrivals", () => {
  it("are the same for the same seed and others for another", () => {
    expect(take(50, 60, 7)).toEqual(take(50, 60, 7));
    expect(take(50, 60, 7)).not.toEqual(take(50, 60, 8));
  });

  it("are a Poisson process: mean gap 1/rate, and gaps as spread as they are long", () => {
    const gaps = take(N, 60, 1).map(({ afterMs }) => afterMs);
    const mean = gaps.reduce((sum, gap) => sum + gap, 0) / N;
    const deviation = Math.sqrt(gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / N);
    // Five standard errors of the mean of N exponential gaps.
    expect(Math.abs(mean / (1000 / 60) - 1)).toBeLessThan(5 / Math.sqrt(N));
    expect(Math.abs(deviation / mean - 1)).toBeLessThan(0.05);
  });

  it("take each route as often as the mix says", () => {
    const visits = take(N, 60, 1);
    for (const { path, share } of MIX) {
      const seen = visits.filter((visit) => visit.path === path).length / N;
      expect(Math.abs(seen - share)).toBeLessThan(5 * Math.sqrt((share * (1 - share)) / N));
    }
  });
});
