import { describe, expect, it } from "vitest";
import { assessImpact } from "../../../core/impact/impact.ts";
import { knownLevel } from "../../../core/impact/worst-first.ts";
import type { CaseFile } from "../../../core/model/assessment.ts";
import type { Finding } from "../../../core/model/finding.ts";
import { testConfig } from "../assessment/config.ts";
import { emptyCase, T0 } from "../correlation/fixtures.ts";
import { seriesOf } from "../detection/series.ts";

const AT = T0 + 10 * 15_000;

const failing = (share: number, samples = 10): CaseFile =>
  emptyCase({
    at: AT,
    topology: { edges: [["web", "cart"]], external: [] },
    series: [seriesOf("error_rate", new Array(samples).fill(share), { service: "web" })],
  });

const slow: Finding = {
  detector: "regression",
  service: "cart",
  metric: "p50_latency",
  labels: {},
  unit: "ms",
  verdict: "worse",
  onset: null,
  detectedAt: AT,
  baseline: 100,
  current: 420,
  samples: 4,
  strength: 9,
  because: "p50_latency of cart went from 100 ms to 420 ms",
};

const trace = (index: number, error: boolean) => ({
  traceId: `t${index}`,
  spanId: "a",
  service: "web",
  name: "GET /",
  startUs: (AT - 1000) * 1000,
  durationUs: 9,
  error,
  user: `u${index}`,
});

describe("S15: the impact in words is what the level rests on", () => {
  it("late answers come first where they harm more than failed requests", () => {
    const impact = assessImpact({ ...failing(0.0009), findings: [slow] }, testConfig(), ["cart"]);
    expect(impact.slowShare).toBe(0.5);
    expect(impact.sentences.slice(0, 2)).toEqual([
      "p50_latency of cart is 4.2 times the baseline",
      "0.09 % of requests fail at web",
    ]);
  });

  it("failed requests come first where they do", () => {
    const impact = assessImpact({ ...failing(0.9), findings: [slow] }, testConfig(), ["cart"]);
    expect(impact.sentences[0]).toBe("90 % of requests fail at web");
  });

  it("no share is read off traces of which failed ones were kept first", () => {
    const spans = Array.from({ length: 30 }, (_, index) => trace(index, true));
    const file = { ...failing(0.3), spans };
    expect(assessImpact(file, testConfig(), ["web"]).sentences.join()).toContain("100 % of traced user requests fail");
    const cut = assessImpact({ ...file, spansCut: true }, testConfig(), ["web"]);
    expect(cut.sentences.join()).not.toMatch(/trace/);
    expect(cut.failedUserShare).toBeNull();
  });

  it("S9: where no sample came since, a low level is unknown", () => {
    const none = failing(0.3);
    const silent = { ...none, series: none.series.map((one) => ({ ...one, values: one.values.map(() => null) })) };
    expect(knownLevel({ impact: assessImpact(silent, testConfig(), []) })).toBe("unknown");
    expect(knownLevel({ impact: assessImpact(failing(0.001), testConfig(), []) })).toBe("low");
  });
});
