import fc from "fast-check";
import { expect, test } from "vitest";
import { createAnomalyScorer, nextScore } from "../../../core/detection/anomaly-score.ts";

const STEP = 300_000;
const DAY = 288;

function scores(values: readonly (number | null)[], shift = 0): readonly (number | null)[] {
  const scorer = createAnomalyScorer();
  return values.map((value, i) => nextScore(scorer, shift + i * STEP, value));
}

/** Five days of a daily rhythm with a little noise, the same each time. */
function days(count: number): number[] {
  let noise = 12345;
  return Array.from({ length: count * DAY }, (_, i) => {
    noise = (noise * 1103515245 + 12345) % 2147483648;
    return 50 + 30 * Math.sin((2 * Math.PI * i) / DAY) + noise / 2147483648;
  });
}
const at = (all: readonly (number | null)[], i: number): number => all[i] ?? Number.NaN;

test("a spike is stranger than anything before it", () => {
  const values = days(5);
  values[1300] = 200;
  const all = scores(values);
  expect(at(all, 1300)).toBeGreaterThan(0.9);
  expect(Math.max(...all.slice(600, 1300).map((score) => score ?? 0))).toBeLessThan(at(all, 1300));
});

test("a usual value at an unusual time of day is strange", () => {
  const values = days(6);
  for (let i = 1500; i < 1520; i++) values[i] = values[i - DAY / 2] ?? 0;
  const all = scores(values);
  expect(Math.max(...all.slice(1500, 1520).map((score) => score ?? 0))).toBeGreaterThan(0.9);
});

test("a constant series is never strange, and too little history says nothing", () => {
  expect(scores(Array.from({ length: 500 }, () => 7)).every((score) => (score ?? 1) < 0.75)).toBe(true);
  expect(scores([1, 2, 99999]).every((score) => score === 0)).toBe(true);
});

test("a missing sample scores null and changes nothing that follows", () => {
  const values = days(3);
  const gapped: (number | null)[] = [...values];
  gapped[700] = null;
  expect(scores(gapped)[700]).toBeNull();
  expect(scores([null, Number.NaN, Number.POSITIVE_INFINITY])).toEqual([null, null, null]);
});

test("what is told once is not told again by the same, only by what is stranger", () => {
  const values = days(5);
  values[1200] = 88;
  values[1210] = 87;
  values[1220] = 140;
  const all = scores(values);
  expect(at(all, 1210)).toBeLessThan(at(all, 1200));
  expect(at(all, 1220)).toBeGreaterThan(at(all, 1200));
});

test("scores lie within 0 and 1, follow from the past alone, and do not depend on unit or day", () => {
  const series = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 40, maxLength: 160 });
  fc.assert(
    fc.property(
      series,
      fc.integer({ min: 1, max: 150 }),
      fc.integer({ min: 0, max: 400 }),
      (values, cut, daysLater) => {
        const all = scores(values);
        expect(all.every((score) => score !== null && score >= 0 && score <= 1)).toBe(true);
        expect(scores(values.slice(0, cut))).toEqual(all.slice(0, cut));
        expect(scores(values, daysLater * 86_400_000)).toEqual(all);
        // a power of two changes no rounding
        for (const [i, score] of scores(values.map((value) => value * 1024)).entries())
          expect(score).toBeCloseTo(at(all, i), 6);
      },
    ),
    { numRuns: 60 },
  );
});
