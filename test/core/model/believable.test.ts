import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { judgeCanary } from "../../../core/canary/judge.ts";
import { createDetectionEngine } from "../../../core/detection/engine.ts";
import { believed, LARGEST_VALUE, MOST_SAMPLES } from "../../../core/model/believable.ts";
import type { Series } from "../../../core/model/signal.ts";
import { testConfig } from "../assessment/config.ts";

const T0 = Date.parse("2026-03-02T12:00:00Z");
const STEP = 15_000;

const series = (metric: string, values: readonly (number | null)[], more: Partial<Series> = {}): Series => ({
  service: "cart",
  metric,
  unit: "",
  worse: "up",
  labels: {},
  startAt: T0,
  stepMs: STEP,
  values,
  ...more,
});

describe("S9: no real measurement is taken as missing", () => {
  it.each([
    ["ten petabytes in bytes", 1e16],
    ["a zettabyte in bytes", 1e21],
    ["the time in seconds", 1_772_452_800],
    ["the time in microseconds", 1_772_452_800_000_000],
    ["the time in nanoseconds", 1.7724528e18],
    ["the largest count of 64 bits", 2 ** 64],
    ["a sum of squares of nanoseconds", 1e40],
  ])("%s", (_, value) => {
    expect(believed(series("own_gauge", [1, value, -value])).absurd).toBeNull();
  });

  it.each([2e74, 1e75, 1e154, 1e308, Number.MAX_VALUE])("%s is none", (value) => {
    for (const one of [value, -value]) {
      const { series: known, absurd } = believed(series("own_gauge", [1, one]));
      expect(known.values).toEqual([1, null]);
      expect(absurd).toEqual({ value: one, at: T0 + STEP });
    }
  });
});

describe("whatever is believed can be computed with", () => {
  const powers = fc.integer({ min: 0, max: Math.floor(Math.log10(LARGEST_VALUE)) }).map((power) => 10 ** power);
  const extreme = fc.constantFrom(LARGEST_VALUE, LARGEST_VALUE / 2, 1e60, 1e18, 1, 0, 1e-300, 5e-324);
  const size = fc.oneof(extreme, powers, fc.double({ min: 0, max: LARGEST_VALUE, noNaN: true }));
  const value = fc.tuple(size, fc.boolean()).map(([one, isBelow]) => (isBelow ? -one : one));
  const own = fc.array(fc.option(value, { freq: 8 }), { minLength: 50, maxLength: 90 });
  const steps = fc
    .tuple(value, value, fc.integer({ min: 30, max: 60 }))
    .map(([before, after, at]) => Array.from({ length: 90 }, (_, i) => (i < at ? before : after)));
  const spike = fc
    .tuple(value, fc.integer({ min: 0, max: 89 }))
    .map(([one, at]) => Array.from({ length: 90 }, (_, i) => (i === at ? one : 10 + (i % 7))));
  const anyValues = fc.oneof(own, steps, spike);
  const METRICS = ["own_gauge", "p99_latency", "request_rate", "error_rate", "health_check_failures", "memory_usage"];
  /** As sources give them: what is believed of it, and counts below zero are not. */
  const known = (metric: string, values: readonly (number | null)[]) => believed(series(metric, values)).series;
  /** Numbers that are none, in figures and in words. That evidence is e^-∞ is a number: it is none at all. */
  const noNumber = (found: unknown) => {
    const bad: string[] = [];
    JSON.stringify(found, (key, one: unknown) => {
      if (typeof one === "number" && (Number.isNaN(one) || one === Number.POSITIVE_INFINITY)) bad.push(`${key} ${one}`);
      if (typeof one === "string" && /NaN|(?<!-)\bInfinity/.test(one)) bad.push(`${key} ${one}`);
      return one;
    });
    return bad;
  };

  it("the fourth power of a sum over as many samples as there may be is finite", () => {
    expect((MOST_SAMPLES * LARGEST_VALUE ** 2) ** 2).toBeLessThan(Number.POSITIVE_INFINITY);
  });

  it("what is found of its samples has numbers, look by look", () => {
    const config = testConfig();
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...METRICS), anyValues, { minKeys: 1 }), (signals) => {
        const engine = createDetectionEngine(config);
        for (let i = 0; i < 90; i += 3) {
          for (const [metric, values] of Object.entries(signals)) {
            const { startAt, ...one } = known(metric, values);
            engine.ingest([{ ...one, startAt: startAt + i * STEP, values: one.values.slice(i, i + 3) }], "statistics");
            engine.ingest([{ ...one, startAt: startAt + i * STEP, values: one.values.slice(i, i + 3) }], "policy");
          }
          expect(noNumber(engine.evaluate(T0 + (i + 3) * STEP))).toEqual([]);
        }
      }),
      { numRuns: Number(process.env.RUNS ?? 150) },
    );
  });

  it.each(["sequential", "kayenta"] as const)("what the %s judge says of a canary has numbers", (judge) => {
    const policy = { judge, baselineDurationMs: 3_600_000, minimumConfidence: 0.95, comparisonMetrics: METRICS };
    fc.assert(
      fc.property(fc.constantFrom(...METRICS), anyValues, anyValues, (metric, before, after) => {
        const baseline = [{ ...known(metric, before), labels: { version: "v1" } }];
        const canary = [{ ...known(metric, after), labels: { version: "v2" } }];
        const window = { since: T0, now: T0 + 90 * STEP, complete: true, versionLabel: "version" };
        const judged = judgeCanary(
          { baseline, canary, ...window },
          { ...policy, kayenta: { pass: 95, marginal: 75, groupWeights: {}, metrics: {} } },
        );
        expect(noNumber(judged)).toEqual([]);
      }),
      { numRuns: Number(process.env.RUNS ?? 150) },
    );
  });
});
