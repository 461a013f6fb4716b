import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { createSampleFile } from "../../../agent/compose/older-samples.ts";
import { createDetectionEngine } from "../../../core/detection/engine.ts";
import {
  closeGrid,
  createGrid,
  liveGrid,
  newestAt,
  plainGrid,
  put,
  reserve,
  valueAt,
} from "../../../core/detection/sample-grid.ts";
import { IN_MEMORY, type SampleMemory } from "../../../core/detection/sample-memory.ts";
import { exampleConfig } from "../../../evals/replay/seed-config.ts";

const STEP = 15_000;
const CAPACITY = 300;
const folder = mkdtempSync(join(tmpdir(), "unship-older-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** So few samples stay in memory that most of them lie in the file. */
const shelving = (file: ReturnType<typeof createSampleFile>): SampleMemory => ({
  ...IN_MEMORY,
  recent: 64,
  shelf: () => file.openShelf(CAPACITY),
});

/** Samples as they come: mostly the next one; late ones, repeated ones, missing ones, and times that jump. */
const arrivals = fc.array(
  fc.record({
    ahead: fc.oneof(
      { weight: 20, arbitrary: fc.constant(1) },
      { weight: 3, arbitrary: fc.integer({ min: -280, max: 3 }) },
      { weight: 1, arbitrary: fc.integer({ min: 50, max: 900 }) },
    ),
    value: fc.oneof(
      { weight: 9, arbitrary: fc.double({ noNaN: true, noDefaultInfinity: true }) },
      { weight: 1, arbitrary: fc.constant(null) },
    ),
    times: fc.integer({ min: 1, max: 120 }),
  }),
  { maxLength: 60 },
);

describe("older samples in a file", () => {
  it("are what they would be in memory, however samples come", () => {
    const file = createSampleFile(folder);
    fc.assert(
      fc.property(arrivals, fc.boolean(), (all, roomFirst) => {
        const [kept, whole] = [createGrid(0, STEP, shelving(file)), createGrid(0, STEP)];
        if (roomFirst) for (const grid of [kept, whole]) reserve(grid, 2 * CAPACITY, CAPACITY);
        let slot = 0;
        for (const { ahead, value, times } of all)
          for (let i = 0; i < (ahead === 1 ? times : 1); i++) {
            const at = Math.max(0, slot + ahead);
            // A grid in memory may hold less than its capacity until it has grown: what neither holds is no difference.
            if (at < Math.max(kept.first, whole.first)) continue;
            expect(put(kept, at * STEP, value, CAPACITY)).toBe(put(whole, at * STEP, value, CAPACITY));
            slot = Math.max(slot, at);
          }
        const first = Math.max(kept.first, whole.first);
        expect(kept.first).toBeLessThanOrEqual(whole.first);
        for (let i = first; i <= slot + 1; i++) expect(valueAt(kept, i)).toBe(valueAt(whole, i));
        expect(valueAt(kept, kept.first - 1)).toBeNaN();
        expect(newestAt(kept, slot - first)).toBe(newestAt(whole, slot - first));
        const plain = plainGrid(kept);
        const again = liveGrid(JSON.parse(JSON.stringify(plain)), shelving(file), CAPACITY);
        expect(JSON.stringify(plainGrid(again))).toBe(JSON.stringify(plain));
        for (const grid of [kept, again]) closeGrid(grid);
      }),
      { numRuns: 60 },
    );
    expect(file.gaps()).toEqual([]);
    expect(readdirSync(folder)).toEqual([]);
    file.close();
  });

  it("are given by the engine as they came, however far back one looks", () => {
    const file = createSampleFile(folder);
    const engine = createDetectionEngine(exampleConfig(), { capacity: 600, openShelf: file.openShelf });
    const valuesOf = (one: number) => Array.from({ length: 600 }, (_, i) => one + i / 1000);
    // The first ones stay in memory whole; traffic is read and not tested, which is quick.
    const rest = {
      metric: "request_rate",
      unit: "req/s",
      worse: "either",
      labels: {},
      startAt: 0,
      stepMs: STEP,
    } as const;
    for (let one = 0; one < 2060; one++)
      engine.ingest([{ ...rest, service: `s${one}`, values: valuesOf(one) }], "statistics");
    for (const from of [0, 100, 500]) {
      const found = engine.recent({ from: from * STEP, to: 600 * STEP }, new Set(["s0", "s2059"]));
      expect(found.map(({ values }) => values)).toEqual([valuesOf(0).slice(from), valuesOf(2059).slice(from)]);
    }
    file.close();
  });

  it("are missing, and said to be, where the file cannot be made", () => {
    const taken = join(folder, "a-file");
    writeFileSync(taken, "");
    const file = createSampleFile(join(taken, "below"));
    const grid = createGrid(0, STEP, shelving(file));
    for (let slot = 0; slot < 200; slot++) put(grid, slot * STEP, 1, CAPACITY);
    expect([valueAt(grid, 10), valueAt(grid, 199)]).toEqual([Number.NaN, 1]);
    expect(file.gaps().map(({ what }) => what)).toEqual(["samples of the last hours"]);
    expect(file.gaps()[0]?.because).toContain("ENOTDIR");
    file.close();
  });
});
