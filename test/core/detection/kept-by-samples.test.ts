import fc from "fast-check";
import { expect, test } from "vitest";
import { keptBySamples } from "../../../core/detection/kept-by-samples.ts";

const sumOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);

test("the same question about the same samples is answered once, whatever list they come in", () => {
  let answered = 0;
  const kept = keptBySamples((values) => {
    answered += 1;
    return sumOf(values);
  });
  expect([kept("a", [1, 2]), kept("a", [1, 2]), kept("b", [1, 2]), kept("a", [1, 2])]).toEqual([3, 3, 3, 3]);
  expect(answered).toBe(2);
});

test("the answer is that of the samples at hand, whatever was asked before", () => {
  const question = fc.constantFrom("a", "b");
  const samples = fc.array(fc.integer({ min: 0, max: 2 }), { maxLength: 3 });
  fc.assert(
    fc.property(fc.array(fc.tuple(question, samples)), (asked) => {
      const kept = keptBySamples(sumOf);
      for (const [name, values] of asked) expect(kept(name, values)).toBe(sumOf(values));
    }),
  );
});
