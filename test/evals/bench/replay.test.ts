import { expect, it } from "vitest";
import { spreadOf } from "../../../evals/bench/intervals.ts";
import { measureOver, replayLines, takeApart } from "../../../evals/bench/replay.ts";
import { findBundles, readBundle } from "../../../evals/replay/bundle.ts";

it("the bare pass reads every sample that a replay reads, packed or not", () => {
  const [first = ""] = findBundles(["evals/data/incidents"]);
  const samples = readBundle(first).series.reduce((sum, { values }) => sum + values.length, 0);
  const { samples: parsed, bytes } = takeApart(first);
  expect(parsed).toBe(samples);
  expect(bytes).toBeGreaterThan(samples);
});

it("the extremes of runs stand beside their middle", () => {
  expect(spreadOf([3, 1, 2, 10])).toEqual({ median: 2.5, lowest: 1, highest: 10 });
  expect(spreadOf([]).median).toBeNaN();
});

it("a replay is measured beside the bare pass over the same incidents", async () => {
  const [, , , , smallest = ""] = findBundles(["evals/data/incidents"]);
  const report = await measureOver([smallest], 7, 1);
  expect(report).toMatchObject({
    benchmark: "replay",
    seed: 7,
    bundles: 1,
    runs: 1,
    samples: takeApart(smallest).samples,
  });
  for (const { lowest, median, highest } of [report.perSecond, report.perCpuSecond, report.parsedPerCpuSecond]) {
    expect(lowest).toBeGreaterThan(0);
    expect([median, highest]).toEqual([lowest, lowest]);
  }
  expect(report.ratio.median).toBeCloseTo(report.parsedPerCpuSecond.median / report.perCpuSecond.median, 6);
  expect(report.met).toBe(report.perSecond.median >= 1_000_000);
  expect(replayLines(report).at(-1)).toBe(report.met ? "met" : "NOT met");
}, 60_000);
