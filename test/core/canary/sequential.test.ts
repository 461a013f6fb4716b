import { describe, expect, it } from "vitest";
import type { CanaryInput, CanaryVerdict } from "../../../core/canary/model.ts";
import { judgeSequentially } from "../../../core/canary/sequential.ts";
import { changed, SAMPLES, STEP, sideBySide, type Version, versionSeries, without } from "./versions.ts";

const judged = (canary: Version, stable: Version = {}, replaced: Partial<CanaryInput> = {}) =>
  judgeSequentially(sideBySide(canary, stable, replaced));
const worseIn = (result: ReturnType<typeof judged>) =>
  result.metrics.filter(({ verdict }) => verdict === "worse").map(({ metric }) => metric);

describe("the sequential judge", () => {
  it.each<[string, Version, Version, CanaryVerdict, readonly string[]]>([
    ["passes a canary that is like the stable version", {}, {}, "pass", []],
    ["fails one in which every third request fails", { errors: 0.34 }, {}, "fail", ["error_rate"]],
    ["fails one whose errors went from 1 % to 5 %", { errors: 0.05 }, {}, "fail", ["error_rate"]],
    ["fails one that answers in twice the time", { p99: 400 }, {}, "fail", ["p99_latency"]],
    ["fails one that needs twice the memory", { memory: 1 }, {}, "fail", ["memory_usage"]],
    [
      "fails one whose errors are few, beside a version that never fails",
      { errors: 0.03 },
      { errors: 0 },
      "fail",
      ["error_rate"],
    ],
    ["takes no offence at fewer errors and shorter waits", { errors: 0.001, p99: 100 }, {}, "pass", []],
    ["lets a tenth more time be", { p99: 220 }, {}, "pass", []],
  ])("%s", (_, canary, stable, verdict, metrics) => {
    const result = judged(canary, stable);
    expect(result.verdict).toBe(verdict);
    expect(worseIn(result)).toEqual(metrics);
  });

  it("blames no canary for what hits both", () => {
    const hit = { errors: 0.2, p99: 900 };
    expect(judged(hit, hit, { metrics: ["error_rate", "p99_latency"] }).verdict).toBe("pass");
  });

  it("stops as soon as it is sure, and says in figures why", () => {
    const result = judged({ errors: 0.34 });
    expect(result.samples).toBeLessThan(10);
    expect(result.mostSamples).toBe(SAMPLES);
    expect(result.why.join("\n")).toMatch(/stopped early[\s\S]*error_rate of cart: 3\d\.\d % beside \d\.\d+ %: worse/);
  });

  it("stays with its verdict, whatever comes later", () => {
    const first = judged({ p99: 400 });
    const input = sideBySide({ p99: 400 });
    const more = changed(input, "canary", (series) => ({
      ...series,
      values: [...series.values.slice(0, first.samples), ...series.values.slice(first.samples).map(() => 0)],
    }));
    expect(judgeSequentially(more)).toEqual(first);
  });

  it("waits while it is unsure and time is left, and is inconclusive when none is", () => {
    const soon = sideBySide({}, {}, { now: sideBySide({}).now - (SAMPLES - 2) * STEP });
    expect(judgeSequentially(soon).verdict).toBe("continue");
    expect(judgeSequentially({ ...soon, complete: true }).verdict).toBe("inconclusive");
  });

  it.each<[string, (input: CanaryInput) => CanaryInput, RegExp]>([
    ["the canary has no sample at all", (input) => ({ ...input, canary: [] }), /no sample/],
    [
      "the stable version has none",
      (input) => ({ ...input, baseline: [] }),
      /the baseline has no sample: unknown, not healthy/,
    ],
    [
      "one metric of the canary is missing",
      (input) => changed(input, "canary", (series) => (series.metric === "memory_usage" ? null : series)),
      /memory_usage of cart: the canary has no sample/,
    ],
    [
      "a metric that was asked for exists nowhere",
      (input) => ({ ...input, metrics: [...(input.metrics ?? []), "queue_depth"] }),
      /queue_depth of cart: neither version has a sample/,
    ],
    [
      "one sample is missing",
      (input) =>
        changed(input, "canary", (series) =>
          series.metric === "p99_latency" ? without(series, (index) => index === 0) : series,
        ),
      /p99_latency of cart: .*1 of 60 samples are missing/,
    ],
    [
      "nobody knows how many requests stand behind the errors",
      (input) => changed(input, "canary", (series) => (series.metric === "request_rate" ? null : series)),
      /error_rate of cart: .*without request_rate/,
    ],
  ])("passes nothing where %s", (_, change, why) => {
    const result = judgeSequentially(change(sideBySide({}, {}, { complete: true })));
    expect(result.verdict).toBe("inconclusive");
    expect([...result.why, ...result.metrics.map(({ because }) => because)].join("\n")).toMatch(why);
  });

  it("waits for samples that are late, and calls them missing when they do not come", () => {
    const late = (samples: number) =>
      changed(
        sideBySide({}, {}, { metrics: ["error_rate"], now: sideBySide({}).now - (SAMPLES - 19) * STEP }),
        "canary",
        (series) => (series.metric === "error_rate" ? without(series, (index) => index >= 20 - samples) : series),
      );
    expect(judgeSequentially(late(2)).samples).toBe(18);
    expect(judgeSequentially(late(2)).metrics[0]?.because).not.toMatch(/missing/);
    expect(judgeSequentially(late(6)).metrics[0]?.because).toMatch(/missing/);
  });

  it("proves nothing from little traffic, for or against", () => {
    for (const errors of [0, 0.05]) {
      const result = judged({ rate: 0.3, errors }, { rate: 3 }, { metrics: ["error_rate"] });
      expect(result.verdict).toBe("inconclusive");
    }
  });

  it("does not pass a p99 that is measured on fewer than a hundred requests a step", () => {
    const result = judged({ rate: 3 }, {}, { metrics: ["p99_latency"] });
    expect(result.verdict).toBe("inconclusive");
    expect(result.metrics[0]?.because).toMatch(/its p99_latency takes 100/);
  });

  it("finds what only begins in the second half", () => {
    const input = sideBySide({});
    const [, late] = versionSeries({ rate: 25, errors: 0.3 }, SAMPLES, input.canary[0]?.startAt ?? 0, 5);
    const bad = changed(input, "canary", (series) =>
      series.metric === "error_rate"
        ? {
            ...series,
            values: series.values.map((value, index) => (index < 30 ? value : (late?.values[index] ?? null))),
          }
        : series,
    );
    // Judged on errors and on a metric that never passes, so that it cannot stop before.
    const result = judgeSequentially({ ...bad, metrics: ["error_rate", "queue_depth"] });
    expect(result.verdict).toBe("fail");
    expect(result.samples).toBeGreaterThan(30);
  });

  it("compares with the stable version beside it, not with its past", () => {
    const input = sideBySide({ p99: 400 });
    const slower = versionSeries({ p99: 400 }, SAMPLES, input.canary[0]?.startAt ?? 0, 3);
    const both = changed(input, "baseline", (series) => {
      const now = slower.find(({ metric }) => metric === series.metric);
      return { ...series, values: [...series.values.slice(0, 240), ...(now?.values ?? [])] };
    });
    expect(judgeSequentially(both).verdict).not.toBe("fail");
  });
});
