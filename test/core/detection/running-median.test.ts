import fc from "fast-check";
import { expect, test } from "vitest";
import { median } from "../../../core/detection/robust.ts";
import { createRunningMedian } from "../../../core/detection/running-median.ts";

test("after each value it is the median of all so far, in whatever order they come, repeats included", () => {
  const values = fc.array(fc.oneof(fc.double({ noNaN: true, min: -1e9, max: 1e9 }), fc.integer({ min: -3, max: 3 })));
  fc.assert(
    fc.property(values, (all) => {
      const running = createRunningMedian();
      all.forEach((value, i) => {
        running.add(value);
        expect(running.middle()).toBeCloseTo(median(all.slice(0, i + 1)), 6);
      });
    }),
  );
});

test("the median of nothing is not known", () => {
  expect(createRunningMedian().middle()).toBeNaN();
});
