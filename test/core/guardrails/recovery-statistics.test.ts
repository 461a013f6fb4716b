import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  ENOUGH_SAMPLES,
  enoughRequests,
  medianAtLeast,
  quantileOf,
  upperRate,
} from "../../../core/guardrails/recovery-statistics.ts";

/** P(X ≤ k) of a binomial variable, summed term by term. */
function binomialAtMost(k: number, n: number, p: number): number {
  let term = (1 - p) ** n;
  let sum = term;
  for (let i = 1; i <= k; i += 1) {
    term *= ((n - i + 1) / i) * (p / (1 - p));
    sum += term;
  }
  return sum;
}

describe("statistics of recovery", () => {
  it.each([
    [0.05, 59],
    [0.02, 149],
    [0.01, 299],
    [0.5, 5],
    [1, 1],
    [0, Number.POSITIVE_INFINITY],
  ])("a share of %d shows with 95 %% in %d requests", (rate, requests) => {
    expect(enoughRequests(rate)).toBe(requests);
  });

  it("asks for no request more than that takes", () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-5, max: 0.99, noNaN: true }), (rate) => {
        const n = enoughRequests(rate);
        expect((1 - rate) ** n).toBeLessThanOrEqual(0.05 + 1e-6);
        if (n > 1) expect((1 - rate) ** (n - 1)).toBeGreaterThan(0.05 - 1e-6);
      }),
    );
  });

  it.each([
    [1, 1],
    [2, 1],
    [4, 1],
    [5, 1],
    [7, 1],
    [8, 2],
    [11, 3],
    [20, 6],
  ])("of %d values, the median lies above the one of rank %d with 95 %%, and of none above it", (n, rank) => {
    const values = Array.from({ length: n }, (_, i) => i + 1);
    expect(medianAtLeast(values.toReversed())).toBe(rank);
    if (n >= 5) expect(binomialAtMost(rank - 1, n, 0.5)).toBeLessThanOrEqual(0.05);
    expect(binomialAtMost(rank, n, 0.5)).toBeGreaterThan(0.05);
  });

  it("a signal that is bad half of the time passes by chance less than once in twenty", () => {
    expect(0.5 ** ENOUGH_SAMPLES).toBeLessThan(0.05);
    expect(0.5 ** (ENOUGH_SAMPLES - 1)).toBeGreaterThan(0.05);
  });

  it("the upper limit is where so few failures become improbable", () => {
    fc.assert(
      fc.property(fc.integer({ min: 20, max: 2000 }), fc.integer({ min: 0, max: 40 }), (n, k) => {
        fc.pre(k < n / 2);
        const tail = binomialAtMost(k, n, upperRate(k, n));
        // Wilson's limit is approximate: near the 5 % that it aims at, and exact where nothing failed.
        expect(tail).toBeGreaterThan(0.02);
        expect(tail).toBeLessThan(k === 0 ? 0.0501 : 0.085);
      }),
    );
  });

  it("more requests with the same share give a lower limit, more failures a higher one", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5000 }), fc.integer({ min: 0, max: 100 }), (n, k) => {
        fc.pre(k <= n);
        expect(upperRate(2 * k, 2 * n)).toBeLessThanOrEqual(upperRate(k, n) + 1e-12);
        expect(upperRate(k + 1, n + 1)).toBeGreaterThanOrEqual(upperRate(k, n + 1));
        expect(upperRate(k, n)).toBeGreaterThanOrEqual(k / n - 1e-12);
      }),
    );
  });

  it("nothing measured excludes nothing", () => {
    expect(upperRate(0, 0)).toBe(1);
  });

  it.each([
    ["p99_latency", 0.99],
    ["p50_latency", 0.5],
    ["p999_latency", 0.999],
    ["error_rate", null],
    ["p5_x", null],
  ])("%s names the quantile %s", (metric, quantile) => {
    expect(quantileOf(metric)).toBe(quantile);
  });
});
