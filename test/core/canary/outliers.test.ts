import { describe, expect, it } from "vitest";
import { iqrOutliers } from "../../../core/canary/kayenta/outliers.ts";

const far = (values: readonly number[], factor: number, gentle = false) => {
  const out = iqrOutliers(values, factor, gentle);
  return values.filter((_, i) => out[i]);
};

describe("values far from the rest", () => {
  it.each<[string, readonly number[], readonly number[]]>([
    ["above", [21, 23, 24, 25, 50, 29, 23, 21], [50]],
    ["on both sides", [1, 1, 1, 5, -1, -1, -1, -5], [5, -5]],
    ["nowhere", [], []],
  ])("lie %s", (_, values, expected) => {
    expect(far(values, 1.5)).toEqual(expected);
  });

  it("are fewer where the fences reach to the outermost percentiles", () => {
    const spread = [...Array.from({ length: 200 }, () => 10), 11, 12, 13, 14];
    expect(far(spread, 3)).toEqual([11, 12, 13, 14]);
    expect(far(spread, 3, true)).toEqual([12, 13, 14]);
  });
});
