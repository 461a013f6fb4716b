import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  createRateNormal,
  highestRate,
  learnRate,
  leastProbes,
  rateTrials,
} from "../../../core/detection/normal-rate.ts";
import { createGrid, put } from "../../../core/detection/sample-grid.ts";
import { createSignalWatch, follow } from "../../../core/detection/signal-watch.ts";
import { createRandom } from "../../../evals/bench/random.ts";
import { T0 } from "./series.ts";

const STEP = 5000;
const HOUR = 720;
const KEEP = 0.5 ** (1 / HOUR);

/** Failed probes a step: none for an hour, then one in a step with the chance `share`. */
const sporadic = (share: number, steps: number, seed = 3): readonly number[] => {
  const random = createRandom(seed);
  return Array.from({ length: HOUR + steps }, (_, i) => (i >= HOUR ? random.binomial(1, share) : 0));
};

function watched(values: readonly number[], stepMs = STEP) {
  const grid = createGrid(T0, stepMs);
  const watch = createSignalWatch("health_check_failures", "up", 0);
  for (const [i, value] of values.entries()) {
    put(grid, T0 + i * stepMs, value, 5000);
    follow(watch, grid, () => 1);
    if (watch.alarm !== null) return { watch, alarmedAt: i };
  }
  return { watch, alarmedAt: null };
}

describe("failed probes that come one at a time, after an hour without any", () => {
  it.each([0.25, 0.35, 0.5])("are told within five minutes, dated to the first of them: %f a step", (share) => {
    const values = sporadic(share, 200);
    const first = values.indexOf(1);
    const { watch, alarmedAt } = watched(values);
    expect(alarmedAt).not.toBeNull();
    expect((alarmedAt ?? 0) - first).toBeLessThan(60);
    expect(watch.alarm?.onset.earliest).toBeLessThanOrEqual(T0 + first * STEP);
    expect(watch.alarm?.onset.latest).toBeGreaterThanOrEqual(T0 + (first - 1) * STEP);
  });

  it("are nothing where one comes every ten minutes, for six hours", () => {
    const values = Array.from({ length: 7 * HOUR }, (_, i) => (i >= HOUR && i % 120 === 0 ? 1 : 0));
    expect(watched(values).alarmedAt).toBeNull();
  });

  it("are evidence whose expectation is at most 1, however large the bursts in which they come", () => {
    const past = fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 30, maxLength: 400 });
    const suspect = { requests: 5, samples: 5 };
    fc.assert(
      fc.property(
        past,
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.integer({ min: 1, max: 50 }),
        (counts, part, size) => {
          const normal = createRateNormal(false, undefined, leastProbes(STEP));
          for (const count of counts) learnRate(normal, count, 1, KEEP);
          const none: number[] = [];
          const some: number[] = [];
          rateTrials(normal, 0, 1, suspect, none);
          rateTrials(normal, size, 1, suspect, some);
          // Bursts of that size, so seldom that there are no more events a step than the highest usual rate.
          const chance = Math.min(1, (part * highestRate(normal)) / size);
          for (const i of [none.length - 2, none.length - 1])
            expect(chance * Math.exp(some[i] ?? 0) + (1 - chance) * Math.exp(none[i] ?? 0)).toBeLessThanOrEqual(
              1 + 1e-9,
            );
        },
      ),
    );
  });
});
