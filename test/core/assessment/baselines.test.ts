import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { baselines } from "../../../core/assessment/baselines.ts";
import type { Condition, Config } from "../../../core/config/config.ts";
import type { CaseFile } from "../../../core/model/assessment.ts";
import { type Series, WELL_KNOWN_METRICS, type WellKnownMetric } from "../../../core/model/signal.ts";

const NOW = Date.parse("2026-03-02T12:00:00Z");
const STEP = 15_000;
const HOUR = 240; // samples

/** An hour of samples until now. */
function seriesOf(metric: string, values: readonly (number | null)[], replaced: Partial<Series> = {}): Series {
  const { unit, worse } = WELL_KNOWN_METRICS[metric as WellKnownMetric] ?? { unit: "", worse: "either" };
  const startAt = NOW - (values.length - 1) * STEP;
  return { service: "cart", metric, unit, worse, labels: {}, startAt, stepMs: STEP, values, ...replaced };
}
const steady = (value: number, wobble = 0.05, count = HOUR) =>
  Array.from({ length: count }, (_, i) => value * (1 + wobble * Math.sin(i)));

const caseOf = (...series: readonly Series[]): CaseFile => ({
  at: NOW,
  series,
  findings: [],
  conditions: [],
  changes: [],
  topology: null,
  logs: [],
  spans: [],
  flags: [],
  rollouts: [],
  alerts: [],
  gaps: [],
});

type Threshold = Extract<Condition, { kind: "threshold" }>;
const condition = (metric: string, comparison: Threshold["comparison"]): Condition => {
  return { kind: "threshold", metric, comparison, threshold: 1, upperBound: null, durationMs: 0, text: "" };
};
const policyOf = (...conditions: readonly Condition[]): Config["policies"] => [
  { name: "p", action: "rollback_immediate", notification: [], conditions },
];
const above = (metric: string) => condition(metric, "greater_than");
const below = (metric: string) => condition(metric, "less_than");

describe("baselines", () => {
  const shop = caseOf(
    seriesOf("request_rate", steady(20)),
    seriesOf("error_rate", steady(0.002)),
    seriesOf("cpu_usage", steady(0.3)),
    seriesOf("memory_usage", steady(0.5)),
    seriesOf("queue_depth", steady(40)),
  );
  it.each<[string, Config["policies"], Readonly<Record<string, string | null>>]>([
    [
      "are of harm and of memory where policy judges nothing else",
      policyOf(),
      { error_rate: null, memory_usage: null },
    ],
    [
      "and of the use of CPU where it is judged",
      policyOf(above("cpu_usage")),
      { error_rate: null, memory_usage: null, cpu_usage: null },
    ],
    [
      "traffic that may not fall is bad below",
      policyOf(below("request_rate")),
      { error_rate: null, memory_usage: null, request_rate: "down" },
    ],
    [
      "traffic that may not rise is bad above",
      policyOf(above("request_rate")),
      { error_rate: null, memory_usage: null, request_rate: "up" },
    ],
    [
      "traffic that may do neither is bad both ways",
      policyOf(above("request_rate"), below("request_rate")),
      { error_rate: null, memory_usage: null, request_rate: "either" },
    ],
    [
      "a metric of somebody's own counts as declared",
      policyOf(above("queue_depth")),
      { error_rate: null, memory_usage: null, queue_depth: "up" },
    ],
    [
      "a condition in any policy of the file counts",
      [...policyOf(), ...policyOf(above("cpu_usage"))],
      { error_rate: null, memory_usage: null, cpu_usage: null },
    ],
  ])("%s", (_name, policies, expected) => {
    const kept = baselines(shop, ["cart"], policies);
    expect(Object.fromEntries(kept.map(({ metric, worse }) => [metric, worse ?? null]))).toEqual(expected);
  });

  it("S9: what was hardly measured has none, and no metric has one of another service", () => {
    const thin = caseOf(
      seriesOf("cpu_usage", [...steady(0.3, 0, 4), null, null]),
      seriesOf("cpu_usage", steady(0.3), { service: "web" }),
    );
    expect(baselines(thin, ["cart"], policyOf(above("cpu_usage")))).toEqual([]);
  });

  it("each judged signal has a floor and a ceiling about what it did by itself", () => {
    const level = fc.double({ min: 0.01, max: 1000, noNaN: true });
    fc.assert(
      fc.property(level, fc.double({ min: 0, max: 0.3, noNaN: true }), (usual, wobble) => {
        const file = caseOf(seriesOf("request_rate", steady(usual, wobble)));
        const [kept] = baselines(file, ["cart"], policyOf(below("request_rate")));
        expect(kept?.lower).toBeLessThan(usual);
        expect(kept?.lower).toBeGreaterThanOrEqual(0);
        expect(kept?.upper).toBeGreaterThan(usual);
        expect(kept?.center).toBeCloseTo(usual, -Math.log10(usual * 0.1));
      }),
    );
  });
});
