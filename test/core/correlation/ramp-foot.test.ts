import { describe, expect, it } from "vitest";
import { rampFoot } from "../../../core/correlation/ramp-foot.ts";
import { indexSeries } from "../../../core/correlation/samples.ts";
import { MINUTE, onsetAt, T0 } from "./fixtures.ts";

const STEP = 15_000;
const BEFORE = 240;
const LONG = 30;

/** A ratio of about `level` that does as told from T0 on, seen to be off only after `seen` minutes. */
function foot(course: (minutes: number) => number, seen: number, level = 0.01, worse: "up" | "down" = "up") {
  const noise = (i: number) => 0.002 * Math.sin(i * 2.399) * Math.sin(i * 0.71);
  const series = {
    service: "cart",
    metric: worse === "up" ? "error_rate" : "cache_hit_ratio",
    unit: "ratio",
    worse,
    labels: {},
    startAt: T0 - (BEFORE - 1) * STEP,
    stepMs: STEP,
    values: Array.from({ length: BEFORE + (LONG * MINUTE) / STEP }, (_, i) => {
      const minutes = ((i - BEFORE + 1) * STEP) / MINUTE;
      return (minutes <= 0 ? level : course(minutes)) + noise(i);
    }),
  };
  const onset = onsetAt(T0 + seen * MINUTE, MINUTE, MINUTE);
  const finding = {
    detector: "regression",
    service: "cart",
    metric: series.metric,
    labels: {},
    unit: "ratio",
    verdict: "worse" as const,
    onset,
    detectedAt: T0 + (seen + 1) * MINUTE,
    baseline: level,
    current: course(LONG),
    samples: 4,
    strength: 40,
    because: "it is worse",
  };
  return rampFoot([finding], indexSeries([series], "version"), onset, T0 + LONG * MINUTE);
}

describe("trouble that was first seen while it grew", () => {
  it.each([
    ["failures that grow evenly", foot((m) => 0.01 + 0.004 * m, 5)],
    ["failures that grow evenly and then stay", foot((m) => 0.01 + 0.01 * Math.min(m, 12), 4)],
    ["hits that fall evenly", foot((m) => 0.9 - 0.02 * m, 6, 0.9, "down")],
  ])("is dated by its slope: %s", (_, found) => {
    expect(Math.abs((found?.at ?? 0) - T0)).toBeLessThanOrEqual(MINUTE);
    expect(found?.earliest).toBeLessThanOrEqual(found?.at ?? 0);
    expect(found?.latest).toBeGreaterThanOrEqual(found?.at ?? 0);
  });

  it.each([
    ["it came at once", foot((m) => (m < 5 ? 0.01 : 0.1), 5)],
    ["it came at once and was seen late", foot(() => 0.1, 5)],
    ["it is nothing but noise", foot(() => 0.01, 5)],
    ["it fell", foot((m) => 0.5 - 0.01 * m, 5, 0.5)],
    ["it was seen as it began", foot((m) => 0.01 + 0.004 * m, -1)],
  ])("has no other date where %s", (_, found) => {
    expect(found).toBeNull();
  });
});
