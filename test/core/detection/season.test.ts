import fc from "fast-check";
import { expect, test } from "vitest";
import { median, robustScale } from "../../../core/detection/robust.ts";
import { seasonAt } from "../../../core/detection/season.ts";
import { createSeasonHistory, type SeasonHistory, takePast } from "../../../core/detection/season-history.ts";

const STEP = 300_000;
const DAY = 86_400_000;
const HOUR = 3_600_000;
const MONDAY = Date.UTC(2026, 10, 2);

/** History of so many days up to, not including, `MONDAY` plus `days`. */
function history(days: number, value: (at: number, day: number) => number): SeasonHistory {
  const grid = createSeasonHistory(MONDAY, STEP);
  for (let i = 0; i < (days * DAY) / STEP; i++) {
    const at = MONDAY + i * STEP;
    takePast(grid, at, value(at, Math.floor((at - MONDAY) / DAY)), 70 * DAY);
  }
  return grid;
}
const isWeekend = (day: number): boolean => day % 7 >= 5;
const jitter = (at: number): number => ((at / STEP) * 7919) % 11;
const daily = (at: number): number => 1000 + 500 * Math.sin((2 * Math.PI * (at % DAY)) / DAY) + jitter(at);
const noonAfter = (days: number): number => MONDAY + days * DAY + 12 * HOUR;

test("one day is no habit; two are", () => {
  expect(seasonAt(history(1, daily), noonAfter(1))).toBeNull();
  expect(seasonAt(history(2, daily), noonAfter(2))?.days).toBe(2);
});

test("knows the time of day", () => {
  const grid = history(10, daily);
  const morning = seasonAt(grid, MONDAY + 10 * DAY + 6 * HOUR)?.center ?? 0;
  const evening = seasonAt(grid, MONDAY + 10 * DAY + 18 * HOUR)?.center ?? 0;
  expect(morning).toBeCloseTo(1505, -2);
  expect(evening).toBeCloseTo(505, -2);
});

test.each([
  [13, 0],
  [20, 0],
])("with %d days, less than three weeks, the weekday counts for nothing: %d", (days, weekday) => {
  const grid = history(days, (at, day) => daily(at) * (isWeekend(day) ? 0.4 : 1));
  expect(seasonAt(grid, noonAfter(days))?.weekday).toBe(weekday);
});

test("with four weeks a Saturday is known to be quieter than a Wednesday", () => {
  const grid = history(33, (at, day) => daily(at) * (isWeekend(day) ? 0.4 : 1));
  const saturday = seasonAt(grid, noonAfter(33));
  expect(saturday?.weekday).toBeGreaterThan(0.9);
  expect(saturday?.center).toBeGreaterThan(350);
  expect(saturday?.center).toBeLessThan(500);
  const workdays = history(37, (at, day) => daily(at) * (isWeekend(day) ? 0.4 : 1));
  expect(seasonAt(workdays, noonAfter(37))?.center).toBeGreaterThan(900);
});

test("where weekdays do not differ they are hardly told apart", () => {
  const noise = (day: number): number => ((day * 7919 + 13) % 101) - 50;
  const grid = history(35, (at, day) => daily(at) + noise(day));
  const season = seasonAt(grid, noonAfter(35));
  expect(Math.abs((season?.center ?? 0) - 1005)).toBeLessThan(40);
});

test("one day of incident in the history moves nothing by more than its days vary", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 27 }), fc.double({ min: -1e6, max: 1e6, noNaN: true }), (bad, value) => {
      const clean = seasonAt(history(28, daily), noonAfter(28));
      const hurt = seasonAt(
        history(28, (at, day) => (day === bad ? value : daily(at))),
        noonAfter(28),
      );
      expect(Math.abs((hurt?.center ?? Number.NaN) - (clean?.center ?? 0))).toBeLessThan(30);
    }),
    { numRuns: 25 },
  );
});

test("half hours say of every time of day what all samples within half an hour of it say", () => {
  const days = 14;
  const noise = (at: number): number => (Math.imul(at / STEP, 0x9e3779b1) >>> 16) % 97;
  const value = (at: number): number => daily(at) + noise(at);
  const grid = history(days, value);
  const apart: number[] = [];
  const scales: number[] = [];
  for (let minute = 0; minute < 24 * 60; minute += 7) {
    const at = MONDAY + days * DAY + minute * 60_000;
    const near = Array.from({ length: days }, (_, back) => {
      const middle = at - (back + 1) * DAY;
      const times = Array.from({ length: 13 }, (_, i) => Math.round(middle / STEP) * STEP + (i - 6) * STEP);
      return times.filter((time) => time >= MONDAY).map(value);
    });
    const reference = median(near.map((values) => median(values)));
    const within = median(near.map((values) => robustScale(values)));
    const found = seasonAt(grid, at);
    apart.push(Math.abs((found?.center ?? Number.NaN) - reference) / within);
    scales.push((found?.scale ?? Number.NaN) / within);
  }
  // Of what the samples of an hour deviate by: the centre hardly moves, and the deviation is neither lost nor doubled.
  expect(Math.max(...apart)).toBeLessThan(0.5);
  expect(median(apart)).toBeLessThan(0.15);
  expect(median(scales)).toBeGreaterThan(0.8);
  expect(median(scales)).toBeLessThan(1.25);
});
