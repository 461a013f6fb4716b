import { describe, expect, it } from "vitest";
import { generateBundle } from "../../../evals/scenarios/generate.ts";
import type { SeriesLine } from "../../../evals/scenarios/observe/series.ts";
import { atStep, sparse, withoutLogs, withoutVersionSplit } from "../../../evals/scenarios/variants.ts";

const bundle = generateBundle("gradual-rollout", 3);
const seriesOf = (files: typeof bundle): readonly SeriesLine[] =>
  (files["series.jsonl"] ?? "")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
const hand = (lines: readonly SeriesLine[]) => ({
  "series.jsonl": lines.map((line) => JSON.stringify(line)).join("\n"),
});
const line = (metric: string, values: readonly (number | null)[], start = 60): SeriesLine => ({
  service: "web",
  metric,
  unit: "",
  start,
  step: 15,
  values,
});

describe("a variant of a bundle", () => {
  it("without logs has none, and is else the same", () => {
    const { "logs.jsonl": _, ...rest } = bundle;
    expect(withoutLogs(bundle)).toEqual(rest);
  });

  it("without version split names no version in any sample", () => {
    const files = withoutVersionSplit(bundle);
    expect(seriesOf(bundle).some(({ labels }) => labels?.version !== undefined)).toBe(true);
    expect(seriesOf(files).some(({ labels }) => labels?.version !== undefined)).toBe(false);
    expect(seriesOf(files).filter(({ labels }) => labels === undefined)).toEqual(
      seriesOf(bundle).filter(({ labels }) => labels === undefined),
    );
    expect(files["logs.jsonl"] ?? "").not.toContain('"version":');
    expect(files["truth.json"]).toBe(bundle["truth.json"]);
  });

  it("at 60 s samples has means of rates, errors weighted by requests, sums of counts", () => {
    const files = atStep(
      hand([
        line("request_rate", [0, 10, 10, 10, 30, 10]),
        line("error_rate", [null, 0, 0, 0, 0.2, 0.5]),
        line("health_check_failures", [0, 1, 0, 2, 0, 1]),
      ]),
      60,
    );
    // Windows end at 60 s and at 120 s: the first holds one sample, the second four.
    expect(seriesOf(files).map(({ values, start, step }) => ({ values, start, step }))).toEqual([
      { values: [0, 15], start: 60, step: 60 },
      { values: [null, 0.1], start: 60, step: 60 },
      { values: [0, 3], start: 60, step: 60 },
    ]);
  });

  it("at 60 s samples keeps a window without any sample missing", () => {
    const files = atStep(hand([line("cpu_usage", [0.5, null, null, null, null, 0.4, 0.4, null, 0.6])]), 60);
    expect(seriesOf(files)[0]?.values).toEqual([0.5, null, 0.46667]);
  });

  it("at 60 s samples leaves coarser history alone, and no finer sample", () => {
    const steps = new Set(seriesOf(atStep(bundle, 60)).map(({ step }) => step));
    expect(steps.has(15)).toBe(false);
    expect(seriesOf(atStep(bundle, 60)).filter(({ step }) => step === 300)).toEqual(
      seriesOf(bundle).filter(({ step }) => step === 300),
    );
  });

  it("with little history has 14 minutes before the onset at 60 s, no request rate, and the truth it had", () => {
    const files = sparse(bundle);
    const onset = Date.parse(JSON.parse(files["truth.json"] ?? "").onset) / 1000;
    const series = seriesOf(files);
    expect(new Set(series.map(({ step }) => step))).toEqual(new Set([60]));
    expect(series.some(({ metric }) => metric === "request_rate")).toBe(false);
    expect(series.some(({ metric }) => metric === "error_rate")).toBe(true);
    const begin = Math.min(...series.map(({ start }) => start));
    expect(onset - begin).toBeGreaterThan(12 * 60);
    expect(onset - begin).toBeLessThanOrEqual(14 * 60);
    const watchStart = Date.parse(JSON.parse(files["incident.json"] ?? "").watch.start) / 1000;
    expect(watchStart).toBeGreaterThanOrEqual(onset - 14 * 60);
    expect(files["truth.json"]).toBe(bundle["truth.json"]);
  });
});
