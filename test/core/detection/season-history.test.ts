import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  bucketAt,
  createSeasonHistory,
  liveHistory,
  makeRoom,
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
    expect(bucketAt(history, 0).level / 3.5).toBeCloseTo(1, 2);
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

  it("are kept as long as was asked for, and not much longer, in 1.7 KB", () => {
    const values = Array.from({ length: 20 * 288 }, (_, i) => i + 1);
    const history = historyOf(values, STEP, 14 * DAY);
    expect(history.next - history.first).toBeGreaterThanOrEqual(672);
    expect(history.next - history.first).toBeLessThanOrEqual(676);
    expect(history.codes.byteLength).toBe(1690);
    for (let bucket = history.first; bucket < history.next; bucket++)
      expect(bucketAt(history, bucket).level / ((bucket * HALF_HOUR) / STEP + 3.5)).toBeCloseTo(1, 2);
    expect(bucketAt(history, history.first - 1).level).toBeNaN();
  });

  it("are the same whether room for them was made at once or step by step", () => {
    const values = Array.from({ length: 16 * 288 }, (_, i) => 1 + ((i * 37) % 101));
    const atOnce = createSeasonHistory(STEP, STEP);
    makeRoom(atOnce, values.length * STEP, 14 * DAY);
    for (const [i, value] of values.entries()) takePast(atOnce, (i + 1) * STEP, value, 14 * DAY);
    expect(atOnce).toEqual(historyOf(values, STEP, 14 * DAY));
  });

  it("do not outlive a silence that is longer than what is kept", () => {
    const history = historyOf([5, 5, 5, 5, 5, 5, 5]);
    takePast(history, 3 * DAY, 9, DAY);
    expect(bucketAt(history, 0).level).toBeNaN();
    const levels = Array.from(
      { length: history.next - history.first },
      (_, i) => bucketAt(history, history.first + i).level,
    );
    expect(levels.filter((level) => !Number.isNaN(level))).toEqual([9]);
  });

  it("have the width of the samples where those are rarer", () => {
    const history = historyOf([1, 2, 3], 3_600_000);
    for (const bucket of [0, 1, 2]) expect(bucketAt(history, bucket).level / (bucket + 1)).toBeCloseTo(1, 2);
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

  it("keep levels of either sign and deviations of any size to a part in seven hundred, and zeros", () => {
    const size = fc.double({ min: 1e-15, max: 1e15, noNaN: true });
    fc.assert(
      fc.property(size, fc.constantFrom(-1, 1), (unit, sign) => {
        const bucket = bucketAt(historyOf([2, 2, 3, 3, 4, 4, 0].map((value) => sign * unit * value)), 0);
        expect(Math.abs(bucket.level / (3 * sign * unit) - 1)).toBeLessThan(1 / 700);
        expect(Math.abs(bucket.within / (1.4826 * unit) - 1)).toBeLessThan(1 / 700);
      }),
    );
    expect(bucketAt(historyOf([0, 0, 0, 0, 0, 0, 1]), 0)).toEqual({ level: 0, within: 0 });
  });
});
