import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { logAdd, logSumExp, median, quantile } from "../../../core/detection/robust.ts";

/** By sorting, as Hyndman & Fan's type 7 is written down. */
function bySorting(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const place = (sorted.length - 1) * q;
  const low = sorted[Math.floor(place)] ?? Number.NaN;
  const high = sorted[Math.ceil(place)] ?? low;
  return low + (high - low) * (place - Math.floor(place));
}

describe("quantile", () => {
  const finite = fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e9, max: 1e9 });
  const few = fc.constantFrom(0, 1, 1, 2, 5);

  it("is what sorting gives, for distinct values and for many equal ones", () => {
    for (const value of [finite, few]) {
      fc.assert(
        fc.property(
          fc.array(value, { minLength: 1, maxLength: 200 }),
          fc.double({ min: 0, max: 1, noNaN: true }),
          (all, q) => {
            expect(quantile(all, q)).toBeCloseTo(bySorting(all, q), 6);
          },
        ),
      );
    }
  });

  it("takes sorted and reversed values, and changes none of them", () => {
    const up = Array.from({ length: 1001 }, (_, i) => i);
    expect([median(up), median(up.toReversed()), quantile(up, 0.9)]).toEqual([500, 500, 900]);
    const given = [3, 1, 2];
    median(given);
    expect(given).toEqual([3, 1, 2]);
  });

  it.each([
    ["of nothing it is no number", [], Number.NaN],
    ["of one value it is that", [7], 7],
    ["of two it is their middle", [4, 2], 3],
  ])("%s", (_, values, expected) => {
    expect(median(values)).toBe(expected);
  });
});

describe("sums of exponentials", () => {
  const any = fc.oneof(fc.double({ min: -2000, max: 2000, noNaN: true }), fc.constant(Number.NEGATIVE_INFINITY));

  it("neither overflow nor vanish, and of two are the sum of a list of two", () => {
    fc.assert(
      fc.property(any, any, (a, b) => {
        expect(logAdd(a, b)).toBe(logSumExp([a, b]));
      }),
    );
    expect([logSumExp([]), logSumExp([1000, 1000])]).toEqual([Number.NEGATIVE_INFINITY, 1000 + Math.LN2]);
    expect(logSumExp([1, Number.NaN, 2])).toBeNaN();
  });
});
