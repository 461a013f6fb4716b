import { describe, expect, it } from "vitest";
import { indexSeries } from "../../../core/correlation/samples.ts";
import { failsMoreThanItsShare } from "../../../core/correlation/served-share.ts";
import { change, emptyCase, MINUTE, onsetAt, T0 } from "./fixtures.ts";

const STEP = 60_000;
const asked = (canary: number | undefined, fails: readonly number[], lagMs = MINUTE) => {
  const errors = {
    service: "cart",
    metric: "error_rate",
    unit: "ratio",
    worse: "up" as const,
    labels: {},
    startAt: T0 - 14 * STEP,
    stepMs: STEP,
    values: [...Array.from({ length: 15 }, () => 0), ...fails],
  };
  return failsMoreThanItsShare(change({ startedAt: T0 - lagMs, ...(canary === undefined ? {} : { canary }) }), {
    index: indexSeries([errors], "version"),
    onset: onsetAt(T0, 0, 0),
    caseFile: emptyCase({ at: T0 + 10 * MINUTE }),
    worse: new Map([["cart", new Set(["error_rate"])]]),
  });
};

describe("a version that serves a part of the requests", () => {
  it("is hardly to blame where far more than that part fails", () => {
    expect(asked(1 / 3, [1, 1, 1])).toMatchObject({ failed: 1 });
    expect(asked(1 / 3, [1, 1, 1])?.nats).toBeLessThan(-1);
  });

  it.each([
    ["about its part fails", 1 / 3, [0.35, 0.3, 0.4], MINUTE],
    ["no part is told", undefined, [1, 1, 1], MINUTE],
    ["it serves everything", 1, [1, 1, 1], MINUTE],
    ["the degradation began when a later stage may have gone on", 1 / 3, [1, 1, 1], 10 * MINUTE],
    ["a single sample is known", 1 / 3, [1], MINUTE],
  ] as const)("is not cleared where %s", (_why, canary, fails, lag) => {
    expect(asked(canary, fails, lag)).toBeNull();
  });
});
