import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { didYouMean, editDistance, nearest } from "../../../core/config/nearest.ts";

describe("the edit distance", () => {
  it.each([
    ["kitten", "sitting", 3],
    ["treshold", "threshold", 1],
    ["theshold", "threshold", 1],
    ["rlolback", "rollback", 1],
    ["", "abc", 3],
    ["same", "same", 0],
  ])("from %j to %j is %d", (a, b, distance) => {
    expect(editDistance(a, b)).toBe(distance);
  });

  it("is the same both ways, none only between equals, and at most the longer length", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 12 }), fc.string({ maxLength: 12 }), (a, b) => {
        const distance = editDistance(a, b);
        expect(distance).toBe(editDistance(b, a));
        expect(distance === 0).toBe(a === b);
        expect(distance).toBeLessThanOrEqual(Math.max(a.length, b.length));
      }),
    );
  });
});

describe("the nearest choice", () => {
  const keys = ["threshold", "upper_bound", "duration", "metric", "comparison"];
  it.each([
    ["treshold", "threshold"],
    ["Threshold", "threshold"],
    ["upperBound", "upper_bound"],
    ["upper-bound", "upper_bound"],
    ["bound", "upper_bound"],
    ["durration", "duration"],
    ["colour", null],
    ["x", null],
    ["t".repeat(10_000), null],
  ])("to %j is %j", (word, choice) => {
    expect(nearest(word, keys)).toBe(choice);
  });

  it("is named, or else all choices are", () => {
    expect(didYouMean("metrik", keys)).toBe("did you mean metric?");
    expect(didYouMean("colour", ["up", "down"])).toBe("valid here: up, down");
    expect(didYouMean("colour", ["alpha", "beta", "gamma"], 2)).toBe("valid here: alpha, beta, and 1 more");
  });
});
