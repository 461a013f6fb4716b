import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createShiftTest, createWanderEvidence } from "../../../core/canary/shift-test.ts";

describe("S9: the evidence of a shift is a number", () => {
  const size = fc.oneof(
    fc.constantFrom(0, 5e-324, 1e-323, 1e-300, 1e-160, 1, 1e74),
    fc.double({ min: 0, max: 1e74, noNaN: true }),
  );
  const scales = size.filter((one) => one > 0);
  const differences = fc.array(
    fc.tuple(size, fc.boolean()).map(([one, isBelow]) => (isBelow ? -one : one)),
    { minLength: 1, maxLength: 20 },
  );

  it("whatever the scale and the differences, after each of them", () => {
    fc.assert(
      fc.property(scales, differences, (scale, all) => {
        const test = createShiftTest(scale);
        const wander = createWanderEvidence();
        for (const one of all) {
          test.take(one);
          wander.take(one);
          const told = [0, one, -one].flatMap((mean) => [
            test.againstAtMost(mean, wander.against()),
            test.againstAtLeast(mean, wander.against()),
          ]);
          expect(told.filter(Number.isNaN)).toEqual([]);
        }
      }),
      { numRuns: 300 },
    );
  });
});
