import { describe, expect, it } from "vitest";
import { onsetBursts } from "../../../core/correlation/onset-burst.ts";
import { indexSeries } from "../../../core/correlation/samples.ts";
import { MINUTE, onsetAt, T0 } from "./fixtures.ts";

const STEP = 60_000;
const told = (before: readonly number[], since: readonly number[]) => {
  const series = {
    service: "cart",
    metric: "error_rate",
    unit: "ratio",
    worse: "up" as const,
    labels: {},
    startAt: T0 - (before.length - 1) * STEP,
    stepMs: STEP,
    values: [...before, ...since],
  };
  return onsetBursts(indexSeries([series], "version"), onsetAt(T0, 0, STEP), T0 + 10 * MINUTE).get("cart") ?? 0;
};
const zeros = (n: number) => Array.from({ length: n }, () => 0);

describe("a service that failed a few requests when the degradation began", () => {
  it("is told by it, the surer the longer it had failed none", () => {
    expect(told(zeros(17), [0.03, 0.12, 0, 0])).toBeGreaterThan(0.5);
    expect(told(zeros(29), [0.03, 0.12, 0, 0])).toBeGreaterThan(told(zeros(17), [0.03, 0.12, 0, 0]));
  });

  it.each([
    ["it fails as much now and then", [...zeros(10), 0.2, ...zeros(6)], [0.12, 0, 0]],
    ["it failed hardly more than before", zeros(17), [0.005, 0, 0]],
    ["it failed later on", zeros(17), [0, 0, 0, 0.4]],
    ["little is known from before", zeros(5), [0.5, 0.5]],
  ] as const)("is not where %s", (_why, before, since) => {
    expect(told(before, since)).toBe(0);
  });

  it("never says more than six to one", () => {
    expect(told(zeros(1000), [1, 1])).toBeLessThanOrEqual(Math.log(6) + 1e-9);
  });
});
