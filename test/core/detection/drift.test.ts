import { describe, expect, it } from "vitest";
import { type Drift, findDrift } from "../../../core/detection/drift.ts";
import { createDetectionEngine } from "../../../core/detection/engine.ts";
import { createGrid, put, type SampleGrid } from "../../../core/detection/sample-grid.ts";
import { testConfig } from "../assessment/config.ts";
import { normals, seriesOf, T0 } from "./series.ts";

const STEP = 15_000;

function gridOf(values: readonly (number | null)[]): SampleGrid {
  const grid = createGrid(T0, STEP);
  values.forEach((value, i) => {
    put(grid, T0 + i * STEP, value, 4096);
  });
  return grid;
}
const timeAt = (slot: number) => T0 + slot * STEP;

/** A use that lies at `level` and rises by `anHour` from the slot `from` on, with autocorrelated noise. */
function leak(steps: number, from: number, anHour: number, { level = 0.3, noise = 0.01, seed = 1 } = {}) {
  const normal = normals(seed);
  let x = 0;
  return Array.from({ length: steps }, (_, i) => {
    x = 0.7 * x + noise * normal();
    return level + (anHour / 240) * Math.max(0, i - from) + x;
  });
}
const covers = ({ onset }: Drift, slot: number) => onset.earliest <= timeAt(slot) && timeAt(slot) <= onset.latest;

describe("a leak", () => {
  it("that began within what is known is dated to when it began, within minutes", () => {
    const seeds = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
    const found = seeds.map((seed) => findDrift(gridOf(leak(720, 400, 0.4, { seed }))));
    expect(found.every((one) => one !== null)).toBe(true);
    const known = found.filter((one) => one !== null);
    for (const { onset } of known) {
      expect(Math.abs(onset.at - timeAt(400))).toBeLessThan(15 * 60_000);
      expect(onset.latest - onset.earliest).toBeLessThan(60 * 60_000);
      expect(onset.earliest).toBeLessThanOrEqual(onset.at);
      expect(onset.latest).toBeGreaterThanOrEqual(onset.at);
    }
    expect(known.filter((one) => covers(one, 400)).length).toBeGreaterThanOrEqual(10); // 95 % of twelve: eleven or so
  });

  it("that is older than all that is known may be much older: it is not dated to the first sample", () => {
    const drift = findDrift(gridOf(leak(512, -100, 0.2, { level: 0.1 })));
    expect(drift?.onset.earliest).toBeLessThan(timeAt(0) - 60 * 60_000);
  });

  it("is dated alike at another time, with gaps, and from a memory that has turned over", () => {
    const values = leak(720, 400, 0.4).map((value, i) => (i % 9 === 4 ? null : value));
    const onset = findDrift(gridOf(values))?.onset;
    expect(Math.abs((onset?.at ?? 0) - timeAt(400))).toBeLessThan(15 * 60_000);
    const later = createGrid(T0, STEP);
    const turned = [...leak(300, 1000, 0), ...leak(720, 400, 0.4)];
    turned.forEach((value, i) => {
      put(later, T0 + i * STEP, value, 720);
    });
    expect(Math.abs((findDrift(later)?.onset.at ?? 0) - timeAt(700))).toBeLessThan(15 * 60_000);
  });

  it("is none where a level only wanders", () => {
    for (const seed of [1, 2, 3, 4, 5]) expect(findDrift(gridOf(leak(720, 10_000, 0, { seed })))).toBeNull();
  });
});

describe("the use of a processor", () => {
  const steps = 520;
  const noisy = (values: readonly number[], seed: number) => {
    const normal = normals(seed);
    return values.map((value) => value * Math.exp(0.01 * normal()));
  };
  const rates = noisy(
    Array.from({ length: steps }, (_, i) => 100 * (1 + (1.2 * i) / steps)),
    2,
  );
  /** Use that is idle in part, and for the rest in proportion to requests. */
  const use = noisy(
    rates.map((rate) => 0.05 + 0.003 * rate),
    3,
  );
  const told = (metric: "cpu_usage" | "memory_usage", values: readonly number[]) => {
    const engine = createDetectionEngine(testConfig());
    engine.ingest([seriesOf("request_rate", rates), seriesOf(metric, values)], "statistics");
    return engine.evaluate(T0 + steps * STEP).findings.filter(({ detector }) => detector === "drift");
  };

  it("that follows the day's traffic does not drift; memory that rises so does", () => {
    expect(told("cpu_usage", use)).toEqual([]);
    expect(told("memory_usage", use)).toHaveLength(1);
  });

  it("is found by the fine samples as well where two weeks of coarse ones came first", () => {
    const engine = createDetectionEngine(testConfig());
    const coarse = 300_000;
    const before = Array.from({ length: 4032 }, () => 0.3);
    engine.ingest(
      [seriesOf("memory_usage", before, { startAt: T0 - before.length * coarse, stepMs: coarse })],
      "statistics",
    );
    engine.evaluate(T0);
    engine.ingest([seriesOf("memory_usage", leak(480, 100, 0.3))], "statistics");
    const { findings } = engine.evaluate(T0 + 480 * STEP);
    expect(findings.map(({ detector }) => detector)).toContain("drift");
  });

  it("says when it comes to its limit, as a time that others can reckon with", () => {
    const [drift] = told("memory_usage", leak(steps, 100, 0.3, { noise: 0.002 }));
    const now = T0 + steps * STEP;
    const left = (1 - (0.3 + (0.3 / 240) * (steps - 100))) / (0.3 / 240);
    expect(drift?.limitAt).toBeGreaterThan(now + 0.8 * left * STEP);
    expect(drift?.limitAt).toBeLessThan(now + 1.2 * left * STEP);
  });

  it("of CPU does not drift where nobody counts what is asked of it; of memory it does", () => {
    const uncounted = (metric: "cpu_usage" | "memory_usage") => {
      const engine = createDetectionEngine(testConfig());
      engine.ingest([seriesOf(metric, leak(480, 100, 0.3))], "statistics");
      return engine.evaluate(T0 + 480 * STEP).findings.filter(({ detector }) => detector === "drift");
    };
    expect(uncounted("cpu_usage")).toEqual([]);
    expect(uncounted("memory_usage")).toHaveLength(1);
  });

  it("that rises by much more than traffic does drifts", () => {
    expect(
      told(
        "cpu_usage",
        Array.from({ length: steps }, (_, i) => 0.1 * 9 ** (i / steps)),
      ),
    ).toHaveLength(1);
  });
});
