import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Bursts, burstLimit, createBursts, LARGEST_BURST, learnBursts } from "../../../core/detection/bursts.ts";
import { createRandom } from "../../../evals/bench/random.ts";

function learned(samples: readonly number[], expected: number, keep = 1): Bursts {
  const bursts = createBursts();
  for (const events of samples) learnBursts(bursts, events, expected, keep);
  return bursts;
}

/** log P(k) of a negative binomial of this mean whose variance is `size` times that; Poisson where the size is 1. */
function logChance(k: number, mean: number, size: number): number {
  let sum = 0;
  for (let j = 0; j < k; j++) sum += Math.log((size === 1 ? mean : mean / (size - 1) + j) / (j + 1));
  return size === 1 ? sum - mean : sum - (mean / (size - 1)) * Math.log(size) + k * Math.log(1 - 1 / size);
}

/** Posterior chance that bursts are of `size` or more, sizes a constant ratio of excess apart weighed alike. */
function chanceFrom(size: number, samples: readonly number[], mean: number): number {
  const sizes = [1, ...Array.from({ length: 12 }, (_, i) => 1 + 0.03 * (7 / 0.03) ** (i / 11))];
  const nats = sizes.map((one) => samples.reduce((sum, k) => sum + logChance(k, mean, one), 0));
  const top = Math.max(...nats);
  const weights = nats.map((one) => Math.exp(one - top));
  const from = weights.filter((_, i) => (sizes[i] ?? 0) >= size - 1e-9);
  return from.reduce((a, b) => a + b, 0) / weights.reduce((a, b) => a + b, 0);
}

const drawn = (size: number, mean: number, steps: number, seed: number): readonly number[] => {
  const random = createRandom(seed);
  return Array.from({ length: steps }, () => (size === 1 ? random.poisson(mean) : random.negativeBinomial(mean, size)));
};

describe("how large bursts of errors are", () => {
  it("is open, up to the largest, where no error was ever seen", () => {
    expect(burstLimit(createBursts())).toBeGreaterThan(7);
    expect(burstLimit(learned([0, 0, 0], 0.01))).toBeGreaterThan(7);
  });

  it("is told by a few dozen errors that all came alone, however rare they are", () => {
    const samples = Array.from({ length: 1440 }, (_, i) => (i % 30 === 0 ? 1 : 0));
    expect(burstLimit(learned(samples, 1 / 30))).toBeLessThan(1.25);
  });

  it("is told by as many that came in threes", () => {
    const samples = Array.from({ length: 1440 }, (_, i) => (i % 90 === 0 ? 3 : 0));
    expect(burstLimit(learned(samples, 1 / 30)) ?? LARGEST_BURST).toBeGreaterThan(3);
  });

  it("is not bounded by likelihood where they may be larger than the largest", () => {
    expect(burstLimit(learned(drawn(20, 2, 200, 1), 2))).toBeNull();
    expect(burstLimit(learned(drawn(LARGEST_BURST, 2, 200, 1), 2))).toBeNull();
  });

  it.each([
    [1, 0.05, 1440],
    [1.5, 0.3, 480],
    [1.5, 30, 60],
    [3, 0.1, 1440],
    [5, 2, 120],
  ])("is at most the limit in nine of ten pasts: size %d, %d a sample, %d samples", (size, mean, steps) => {
    const limits = Array.from({ length: 60 }, (_, seed) => burstLimit(learned(drawn(size, mean, steps, seed), mean)));
    const kept = limits.filter((limit) => limit === null || limit >= size).length;
    expect(kept).toBeGreaterThanOrEqual(49); // of 60 at nine in ten, fewer than that come once in a hundred times
  });

  it("has the chance beyond the limit that a negative binomial's likelihood gives it", () => {
    const pasts = fc.record({
      mean: fc.double({ min: 0.02, max: 40, noNaN: true }),
      size: fc.double({ min: 1.01, max: 6, noNaN: true }),
      seed: fc.nat(),
    });
    fc.assert(
      fc.property(pasts, ({ mean, size, seed }) => {
        const samples = drawn(size, mean, 40, seed);
        const limit = burstLimit(learned(samples, mean));
        // Each size stands for those up to the next: what lies wholly beyond the limit has at most a tenth.
        if (limit === null) return chanceFrom(LARGEST_BURST, samples, mean) > 0.0999;
        const within = 1 + 1.6424 * (limit - 1);
        const below = Math.max(1, 1 + (limit - 1) / 1.6424);
        return (
          chanceFrom(Math.max(1.03, within), samples, mean) <= 0.1001 && chanceFrom(below, samples, mean) >= 0.0999
        );
      }),
      { numRuns: 100 },
    );
  });

  it("is forgotten: what came in threes long ago counts for nothing beside what comes alone now", () => {
    const bursts = learned(
      Array.from({ length: 300 }, (_, i) => (i % 30 === 0 ? 3 : 0)),
      0.1,
    );
    expect(burstLimit(bursts) ?? LARGEST_BURST).toBeGreaterThan(3);
    for (let i = 0; i < 3000; i++) learnBursts(bursts, i % 10 === 0 ? 1 : 0, 0.1, 0.99);
    expect(burstLimit(bursts)).toBeLessThan(1.5);
  });
});
