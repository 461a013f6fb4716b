import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createGrid, newestAt, put, valueAt, valuesBetween } from "../../../core/detection/sample-grid.ts";

const STEP = 15_000;
const at = (slot: number) => slot * STEP;

describe("the sample grid", () => {
  it.each([
    [
      "keeps the first of two samples of one slot",
      [
        [1, 5],
        [1, 9],
      ],
      [5],
    ],
    [
      "puts a late sample where it belongs",
      [
        [1, 5],
        [3, 7],
        [2, 6],
      ],
      [5, 6, 7],
    ],
    [
      "takes NaN for missing, and lets the slot be filled later",
      [
        [1, Number.NaN],
        [2, 6],
        [1, 5],
      ],
      [5, 6],
    ],
    [
      "takes infinity for missing",
      [
        [1, Number.POSITIVE_INFINITY],
        [2, 6],
      ],
      [6],
    ],
  ])("%s", (_name, samples, kept) => {
    const grid = createGrid(0, STEP);
    for (const [slot = 0, value = 0] of samples) put(grid, at(slot), value, 100);
    expect(valuesBetween(grid, 0, at(1000))).toEqual(kept);
  });

  it("takes null for missing", () => {
    const grid = createGrid(0, STEP);
    expect(put(grid, at(1), null, 100)).toBe(false);
    expect(newestAt(grid)).toBeNull();
  });

  it("snaps a time that is off by less than half a step", () => {
    const grid = createGrid(0, STEP);
    put(grid, at(2) + 4000, 8, 100);
    expect(valueAt(grid, 2)).toBe(8);
  });

  it("holds the same whatever the order of arrival, and however often a sample comes", () => {
    const samples = fc.uniqueArray(fc.integer({ min: 0, max: 60 }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(samples, fc.infiniteStream(fc.nat()), (slots, order) => {
        const a = createGrid(0, STEP);
        const b = createGrid(0, STEP);
        for (const slot of slots) put(a, at(slot), slot + 0.5, 100);
        const keyed = slots.map((slot) => ({ slot, key: order.next().value as number }));
        const shuffled = keyed.sort((x, y) => x.key - y.key).map(({ slot }) => slot);
        for (const slot of [...shuffled, ...shuffled]) put(b, at(slot), slot + 0.5, 100);
        expect(valuesBetween(b, 0, at(100))).toEqual(valuesBetween(a, 0, at(100)));
      }),
    );
  });

  it("never holds more than its capacity, and drops the oldest", () => {
    const grid = createGrid(0, STEP);
    for (let slot = 0; slot < 1000; slot++) put(grid, at(slot), slot, 50);
    expect(grid.ring.length).toBe(50);
    expect(valuesBetween(grid, 0, at(2000))).toEqual(Array.from({ length: 50 }, (_, i) => 950 + i));
    expect(put(grid, at(3), 1, 50)).toBe(false);
  });
});
