import { describe, expect, it } from "vitest";
import { ALPHA } from "../../../core/detection/evidence.ts";
import { createGrid, put } from "../../../core/detection/sample-grid.ts";
import { createSignalWatch, follow } from "../../../core/detection/signal-watch.ts";
import { createRandom, type Random } from "../../../evals/bench/random.ts";
import { T0 } from "./series.ts";

const STEP = 15_000;
const HOUR = 240;

/** How many are in use at each sample: so many begin a sample on average, and each holds on for so many (M/M/∞). */
function inUse(random: Random, samples: number, begin: number, held: number): readonly number[] {
  let now = 0;
  return Array.from({ length: samples }, () => {
    now = random.binomial(now, Math.exp(-1 / held)) + random.poisson(begin);
    return now;
  });
}

/** Where the gauge is told to be worse first; null: never. */
function alarmedAt(values: readonly number[], metric = "db_connections_active"): number | null {
  const grid = createGrid(T0, STEP);
  const watch = createSignalWatch(metric, "up", 0);
  for (const [i, value] of values.entries()) {
    put(grid, T0 + i * STEP, value, values.length);
    follow(watch, grid, () => Number.NaN);
    if (watch.alarm !== null) return i;
  }
  return null;
}

/** Begins to be in use a sample, held for so many samples: what calm services of a small shop show. */
const CALM: readonly (readonly [number, number])[] = [
  [0.02, 0.2],
  [0.1, 0.3],
  [0.2, 0.5],
  [0.3, 1],
  [0.5, 2],
];
const DAYS = 20;

describe("a gauge that counts few things, and none now and then", () => {
  it("is no trouble for a hundred days, but as often as chance may be taken for it", () => {
    const days = CALM.flatMap(([begin, held]) =>
      Array.from({ length: DAYS }, (_, seed) => alarmedAt(inUse(createRandom(seed + 1), 24 * HOUR, begin, held))),
    );
    // So many are expected that four are seen less than once in two hundred times (Poisson).
    expect(ALPHA * days.length * 24 * HOUR).toBeLessThan(0.6);
    expect(days.filter((at) => at !== null).length).toBeLessThan(4);
  });

  it.each(CALM)("is told within three minutes of being used up: %f a sample begin, each held for %f", (begin, held) => {
    const slow = Array.from({ length: 20 }, (_, seed) => {
      const calm = inUse(createRandom(seed + 1), 2 * HOUR, begin, held);
      const at = alarmedAt([...calm, ...Array<number>(HOUR).fill(20)]);
      return (at ?? Number.POSITIVE_INFINITY) - 2 * HOUR;
    });
    expect(Math.min(...slow)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...slow)).toBeLessThan(12);
  });

  it.each([
    ["milliseconds waited for a connection", 350],
    ["a share", 0.4],
  ])("is told where it was nothing for an hour and is something ever since: %s", (_, value) => {
    const at = alarmedAt([...Array<number>(HOUR).fill(0), ...Array<number>(HOUR).fill(value)]);
    expect(at).toBeGreaterThanOrEqual(HOUR);
    expect(at).toBeLessThan(HOUR + 20);
  });

  it("is nothing new where one is in use for a sample every quarter of an hour", () => {
    const values = Array.from({ length: 6 * HOUR }, (_, i) => (i % 60 === 59 ? 1 : 0));
    expect(alarmedAt(values)).toBeNull();
  });
});
