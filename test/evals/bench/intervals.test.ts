import { describe, expect, it } from "vitest";
import { binomialCdf, clopperPearson, medianOf } from "../../../evals/bench/intervals.ts";

describe("the limits of a rate", () => {
  it.each([
    // R: binom.test(k, n)$conf.int and qbeta(0.95, k + 1, n - k)
    [0, 20_000, 0, 1.8443e-4, 1.4977e-4],
    [3, 100, 0.0062299, 0.0851757, 0.0757103],
    [5, 5, 0.4781762, 1, 1],
  ])("after %i of %i are Clopper and Pearson's", (hits, trials, lower, upper, upperLimit) => {
    const limits = clopperPearson(hits, trials);
    expect(limits.lower).toBeCloseTo(lower, 6);
    expect(limits.upper).toBeCloseTo(upper, 6);
    expect(limits.upperLimit).toBeCloseTo(upperLimit, 6);
  });

  it("come from exact binomial sums", () => {
    expect(binomialCdf(1, 3, 0.5)).toBeCloseTo(0.5, 12);
    expect(binomialCdf(-1, 3, 0.5)).toBe(0);
    expect(binomialCdf(3, 3, 0.5)).toBe(1);
  });
});

describe("the median", () => {
  it("of some values of which many are infinite is infinite", () => {
    expect(medianOf([1, Infinity, Infinity])).toBe(Infinity);
    expect(medianOf([3, 1, 2, 4])).toBe(2.5);
  });
});
