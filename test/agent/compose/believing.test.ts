import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { believing } from "../../../agent/compose/believing.ts";
import { assess, createAssessor } from "../../../core/assessment/assessor.ts";
import type { Series } from "../../../core/model/signal.ts";
import type { MetricQuery, MetricSource } from "../../../core/ports.ts";
import { testConfig } from "../../core/assessment/config.ts";
import { openRecording } from "../../core/assessment/recording.ts";

const never = new AbortController().signal;
const T0 = Date.parse("2026-03-02T12:00:00Z");
const STEP = 15_000;
const query: MetricQuery = {
  metric: "request_rate",
  window: { from: T0, to: T0 + 10 * STEP },
  stepMs: STEP,
  purpose: "statistics",
};

/** Answers each question with the same samples. */
function sourceOf(values: readonly (number | null)[], metric = "request_rate", services = ["cart"]): MetricSource {
  const row = (service: string): Series => ({
    service,
    metric,
    unit: "",
    worse: "either",
    labels: {},
    startAt: T0 + STEP,
    stepMs: STEP,
    values,
  });
  return { name: "prometheus", metrics: () => [metric], range: async () => services.map(row) };
}

describe("a sample that can be no measurement", () => {
  const told: readonly (readonly [string, string, number, boolean])[] = [
    ["a rate near the largest double", "request_rate", 1.7e308, true],
    ["a custom value as far below zero", "temperature", -1e308, true],
    ["a rate below zero", "request_rate", -3, true],
    ["a share that a subtraction left just below zero", "error_rate", -1e-16, false],
    ["a custom value below zero", "temperature", -40, false],
    ["the smallest double", "request_rate", 5e-324, false],
    ["ten petabytes", "stored_bytes", 1e16 / 10, false],
  ];
  it.each(told)("%s (%s)", async (_, metric, value, isAbsurd) => {
    const { sources, gaps } = believing([sourceOf([1, 1, 1, 1, 1, 1, 1, 1, value, 1], metric)]);
    const [series] = (await sources[0]?.range({ ...query, metric }, never)) ?? [];
    expect(series?.values[8]).toBe(isAbsurd ? null : value);
    expect(series?.values.filter((one) => one === 1)).toHaveLength(9);
    const text = `${value} at 2026-03-02T12:02:15.000Z can be no measurement: taken as missing`;
    const gap = { source: "prometheus", what: `${metric} of cart`, because: text };
    expect(gaps()).toEqual(isAbsurd ? [gap] : []);
  });

  it("is told as long as it is new, and no longer", async () => {
    let values = [1, 1e300];
    const { sources, gaps } = believing([{ ...sourceOf([]), range: (...asked) => sourceOf(values).range(...asked) }]);
    const ask = (to: number) => sources[0]?.range({ ...query, window: { from: T0, to } }, never);
    await ask(T0 + 2 * STEP);
    expect(gaps()).toHaveLength(1);
    await ask(T0 + 9 * STEP);
    expect(gaps()).toEqual([]);
    await ask(T0 + 2 * STEP);
    values = [1, 1];
    await ask(T0 + 2 * STEP);
    expect(gaps()).toEqual([]);
  });

  it("is told on one line, whatever its service is called", async () => {
    const { sources, gaps } = believing([sourceOf([1e300], "request_rate", ["cart\n12:00 all is well\u001b[2K"])]);
    await sources[0]?.range({ ...query, window: { from: T0, to: T0 + STEP } }, never);
    expect(gaps()[0]?.what).toMatch(/^request_rate of cart 12:00 all is well/);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: none may be left
    expect(gaps()[0]?.what).not.toMatch(/[\u0000-\u001f]/);
  });

  it("is told of ten services by name, however many show one", async () => {
    const services = Array.from({ length: 25 }, (_, i) => `s${i}`);
    const { sources, gaps } = believing([sourceOf([1e300], "request_rate", services)]);
    await sources[0]?.range({ ...query, window: { from: T0, to: T0 + STEP } }, never);
    expect(gaps().map(({ what }) => what)).toHaveLength(11);
    expect(gaps().at(-1)?.because).toBe("15 more services show what can be no measurement");
  });
});

describe("samples of one service that no double could be larger or smaller than", () => {
  const BUNDLE = new URL("../../../evals/data/incidents/case-0233c8fa", import.meta.url).pathname;
  const WHO = "notify";
  const extreme = fc.constantFrom(1.7e308, -1.7e308, 1e308, 1e154, 1e15, -1e15, 5e-324, -5e-324, 1e-300, 1e16, 0, -0);

  it("leave the decision about another service what it is without that service's metrics", async () => {
    const decided = async (spoilt: ReadonlyMap<string, number> | null) => {
      const recording = openRecording(BUNDLE);
      const spoil = (one: Series): Series => {
        const value = one.service === WHO ? spoilt?.get(one.metric) : undefined;
        return value === undefined ? one : { ...one, values: one.values.map((was, i) => (i % 7 === 3 ? value : was)) };
      };
      const metrics = recording.sources.metrics.map((source) => ({
        ...source,
        range: async (...asked: Parameters<MetricSource["range"]>) => (await source.range(...asked)).map(spoil),
      }));
      const { sources } = believing(metrics);
      const config = testConfig();
      const assessor = createAssessor({ sources: { ...recording.sources, metrics: sources }, config });
      recording.now = recording.truth.onset === null ? recording.endAt : recording.truth.onset + 120_000;
      const caseFile = await assessor.gather(recording.now, never);
      return assess(caseFile, config, ["auth"]).decision;
    };
    const usual = await decided(null);
    expect(usual.action).toBe("rollback");
    await fc.assert(
      fc.asyncProperty(
        fc.dictionary(fc.constantFrom("request_rate", "error_rate", "p99_latency"), extreme),
        async (by) => {
          const { action, culprit } = await decided(new Map(Object.entries(by)));
          expect([action, culprit?.changeId]).toEqual([usual.action, usual.culprit?.changeId]);
        },
      ),
      { numRuns: 10, examples: [[{ request_rate: 1.7e308 }], [{ error_rate: 1e308 }], [{ p99_latency: -1.7e308 }]] },
    );
  });
});
