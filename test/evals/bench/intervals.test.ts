import { describe, expect, it } from "vitest";
import {
  binomialCdf,
  bootstrapLimits,
  clopperPearson,
  drawnAgain,
  limitsText,
  medianLimits,
  medianOf,
} from "../../../evals/bench/intervals.ts";
import { createRandom } from "../../../evals/bench/random.ts";

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

const ascending = (n: number) => Array.from({ length: n }, (_, i) => i + 1);

describe("the limits of a median", () => {
  it.each([
    // Conover, Practical Nonparametric Statistics (1999), table of confidence limits of the median: ranks at 95 %.
    [5, null],
    [6, [1, 6]],
    [12, [3, 10]],
    [30, [10, 21]],
  ] as const)("of %i values are the order statistics of those ranks", (n, ranks) => {
    const limits = medianLimits(ascending(n).reverse());
    expect(limits && [limits.lower, limits.upper]).toEqual(ranks);
  });

  it("enclose the true median about as often as they say", () => {
    const random = createRandom(5);
    let covered = 0;
    for (let i = 0; i < 500; i++) {
      const limits = medianLimits(Array.from({ length: 12 }, () => random.normal()));
      if (limits !== null && limits.lower <= 0 && 0 <= limits.upper) covered += 1;
    }
    expect(clopperPearson(covered, 500).lower).toBeGreaterThan(0.92);
  });
});

describe("bootstrap limits", () => {
  const meanOf = (values: readonly number[]) => values.reduce((sum, one) => sum + one, 0) / values.length;

  it("of a mean are about two standard errors on either side, and the same for the same seed", () => {
    const values = ascending(100);
    const limits = bootstrapLimits((random) => meanOf(drawnAgain(values, random)), 3);
    expect(limits?.lower).toBeGreaterThan(50.5 - 1.96 * 2.89 * 1.15);
    expect(limits?.lower).toBeLessThan(50.5 - 1.96 * 2.89 * 0.85);
    expect(limits?.upper).toBeGreaterThan(50.5 + 1.96 * 2.89 * 0.85);
    expect(limits?.upper).toBeLessThan(50.5 + 1.96 * 2.89 * 1.15);
    expect(bootstrapLimits((random) => meanOf(drawnAgain(values, random)), 3)).toEqual(limits);
  });

  it("of no figure are none, and nothing is printed of them", () => {
    const none = bootstrapLimits(() => null, 1);
    expect(none).toBeNull();
    expect(limitsText(none, String)).toBe("");
    expect(limitsText({ lower: 1, upper: 2 }, String)).toBe(" (1–2)");
  });
});
