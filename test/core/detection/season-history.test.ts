import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  bucketAt,
  createSeasonHistory,
  liveHistory,
  plainHistory,
  type SeasonHistory,
  takePast,
} from "../../../core/detection/season-history.ts";

const STEP = 300_000;
const HALF_HOUR = 1_800_000;
const DAY = 86_400_000;

function historyOf(values: readonly (number | null)[], stepMs = STEP, capacityMs = DAY): SeasonHistory {
  const history = createSeasonHistory(stepMs, stepMs);
  for (const [i, value] of values.entries()) takePast(history, (i + 1) * stepMs, value, capacityMs);
  return history;
}

describe("the half hours of a history", () => {
  it("hold the median and the robust deviation of their samples", () => {
    const history = historyOf([1, 2, 3, 4, 5, 60, 7]);
    expect(bucketAt(history, 0).level).toBe(3.5);
    expect(bucketAt(history, 0).within / (1.4826 * 1.5)).toBeCloseTo(1, 2);
  });

  it("tell of the one under way what is known of it", () => {
    expect(bucketAt(historyOf([1, 2, 3]), 0).level).toBe(2);
  });

  it.each([
    ["a sample that is read again changes nothing", [[2, 9]]],
    ["a missing sample is none", [[3, null]]],
    ["what is not finite is missing", [[3, Number.POSITIVE_INFINITY]]],
    ["what comes for a half hour that is over is ignored", [[0, 500]]],
  ] as const)("%s", (_, more) => {
    const history = historyOf([null, 2, 4, null, null, null, 1, 2]);
    const before = [0, 1].map((bucket) => bucketAt(history, bucket));
    for (const [i, value] of more) takePast(history, (i + (i === 0 ? 1 : 6)) * STEP, value, DAY);
    expect([0, 1].map((bucket) => bucketAt(history, bucket))).toEqual(before);
  });

  it("do not depend on the order in which the samples of one arrive", () => {
    fc.assert(
      fc.property(fc.shuffledSubarray([0, 1, 2, 3, 4, 5], { minLength: 1 }), (order) => {
        const [inOrder, asCame] = [createSeasonHistory(STEP, STEP), createSeasonHistory(STEP, STEP)];
        for (const i of order.toSorted()) takePast(inOrder, (i + 1) * STEP, i * i, DAY);
        for (const i of order) takePast(asCame, (i + 1) * STEP, i * i, DAY);
        expect(bucketAt(asCame, 0)).toEqual(bucketAt(inOrder, 0));
      }),
    );
  });

  it("are kept as long as was asked for, in six bytes each", () => {
    const history = historyOf(
      Array.from({ length: 20 * 288 }, (_, i) => i),
      STEP,
      14 * DAY,
    );
    expect(history.next - history.first).toBe(672);
    expect(history.levels.byteLength + history.withins.byteLength).toBe(672 * 6);
    const oldest = bucketAt(history, history.first).level;
    expect(oldest).toBe((history.first * HALF_HOUR) / STEP + 2.5);
    expect(bucketAt(history, history.first - 1).level).toBeNaN();
  });

  it("have the width of the samples where those are rarer", () => {
    const history = historyOf([1, 2, 3], 3_600_000);
    expect([0, 1, 2].map((bucket) => bucketAt(history, bucket).level)).toEqual([1, 2, 3]);
  });

  it("are the same after they were stored, now and for whatever comes later", () => {
    const value = fc.option(fc.double({ min: -1e30, max: 1e30, noNaN: true }), { nil: null });
    fc.assert(
      fc.property(fc.array(value, { maxLength: 80 }), fc.array(value, { maxLength: 80 }), (before, after) => {
        const through = historyOf(before);
        const stored = liveHistory(JSON.parse(JSON.stringify(plainHistory(through))));
        for (const history of [through, stored])
          for (const [i, one] of after.entries()) takePast(history, (before.length + i + 1) * STEP, one, DAY);
        expect(stored).toEqual(through);
      }),
    );
  });

  it("keep deviations of any size to a part in seven hundred", () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-15, max: 1e15, noNaN: true }), (size) => {
        const within = 1.4826 * size;
        const kept = bucketAt(historyOf([-size, -size, -size, size, size, size, 0]), 0).within;
        expect(Math.abs(kept / within - 1)).toBeLessThan(1 / 700);
      }),
    );
  });
});
