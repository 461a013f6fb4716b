import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { believing } from "../../../agent/compose/believing.ts";
import { assess, createAssessor } from "../../../core/assessment/assessor.ts";
import type { Series } from "../../../core/model/signal.ts";
import type { Lack, MetricQuery, MetricSource } from "../../../core/ports.ts";
import { testConfig } from "../../core/assessment/config.ts";
import { openRecording } from "../../core/assessment/recording.ts";
import { noSources } from "../../mcp-tools/scenario.ts";

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

/** What an answer holds, and what whoever asked hears that it lacks. */
async function answered(source: MetricSource, asked: MetricQuery = query) {
  const lacks: Lack[] = [];
  const [believable] = believing([source]);
  const series = (await believable?.range({ ...asked, lacks: (lack) => lacks.push(lack) }, never)) ?? [];
  return { series, lacks };
}

describe("S9: a sample that can be no measurement", () => {
  const told: readonly (readonly [string, string, number, boolean])[] = [
    ["a rate near the largest double", "request_rate", 1.7e308, true],
    ["a custom value as far below zero", "temperature", -1e308, true],
    ["a rate below zero", "request_rate", -3, true],
    ["a share that a subtraction left just below zero", "error_rate", -1e-16, false],
    ["a custom value below zero", "temperature", -40, false],
    ["the smallest double", "request_rate", 5e-324, false],
    ["ten petabytes", "stored_bytes", 1e16, false],
    ["the time in nanoseconds", "newest_row", 1.7724528e18, false],
  ];
  it.each(told)("%s (%s)", async (_, metric, value, isAbsurd) => {
    const { series, lacks } = await answered(sourceOf([1, 1, 1, 1, 1, 1, 1, 1, value, 1], metric), {
      ...query,
      metric,
    });
    expect(series[0]?.values[8]).toBe(isAbsurd ? null : value);
    expect(series[0]?.values.filter((one) => one === 1)).toHaveLength(9);
    const text = `${value} at 2026-03-02T12:02:15.000Z can be no measurement: taken as missing`;
    const gap = { of: "metrics", how: "partial", metric, services: ["cart"], source: "prometheus" };
    const lack = { gap: { ...gap, what: `${metric} of cart`, because: text }, at: T0 + 9 * STEP };
    expect(lacks).toEqual(isAbsurd ? [lack] : []);
  });

  it("is told on one line, whatever its service is called", async () => {
    const { lacks } = await answered(sourceOf([1e300], "request_rate", ["cart\n12:00 all is well\u001b[2K"]));
    expect(lacks[0]?.gap.what).toMatch(/^request_rate of cart 12:00 all is well/);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: none may be left
    expect(lacks[0]?.gap.what).not.toMatch(/[\u0000-\u001f]/);
  });

  it("is told of ten services by name, however many show one", async () => {
    const services = Array.from({ length: 25 }, (_, i) => `s${i}`);
    const { lacks } = await answered(sourceOf([1e300], "request_rate", services));
    expect(lacks).toHaveLength(11);
    expect(lacks.at(-1)?.gap.because).toBe("15 more services show what can be no measurement");
    expect(lacks.flatMap(({ gap }) => gap.services ?? []).sort()).toEqual(services.sort());
  });
});

describe("S9: what can be no measurement is a gap of the present, and of the present alone", () => {
  const HOUR = 3_600_000;
  /** A day of samples of a rate, each step one, of which these moments hold an absurd one. */
  const dayOf = (absurdAt: ReadonlySet<number>): MetricSource => ({
    name: "prometheus",
    metrics: () => ["request_rate"],
    range: async ({ window, stepMs }) => {
      const startAt = Math.ceil(window.from / stepMs) * stepMs;
      const count = Math.max(0, Math.floor((window.to - startAt) / stepMs) + 1);
      const values = Array.from({ length: count }, (_, i) => (absurdAt.has(startAt + i * stepMs) ? -1 : 10));
      return [{ ...UNLABELLED, startAt, stepMs, values }];
    },
  });
  const UNLABELLED: Omit<Series, "startAt" | "stepMs" | "values"> = {
    ...{ service: "cart", metric: "request_rate", unit: "req/s", worse: "either", labels: {} },
  };
  const watching = (absurdAt: ReadonlySet<number>) => {
    const sources = { ...noSources, metrics: believing([dayOf(absurdAt)]) };
    const assessor = createAssessor({ sources, config: testConfig() });
    const absurd = async (now: number) =>
      (await assessor.tick(now, never)).gaps.filter(({ of }) => of === "metrics").map(({ what }) => what);
    return { sources, absurd };
  };

  it("it is told while it is new, once, and no longer when it is not", async () => {
    const { absurd } = watching(new Set([T0]));
    const looks = new Map<number, readonly string[]>();
    for (let after = 0; after <= 8; after += 1) looks.set(after, await absurd(T0 + after * STEP));
    expect([...looks].filter(([, gaps]) => gaps.length > 0).map(([after]) => after)).toEqual([0, 1, 2, 3, 4]);
    expect(looks.get(0)).toEqual(["request_rate of cart"]);
  });

  it("one in the last minutes of the history that is read once at the start does not stay", async () => {
    // On the grid of the history, and five minutes old.
    const at = Math.floor(T0 / 300_000) * 300_000 - 300_000;
    const { absurd } = watching(new Set([at]));
    expect(await absurd(T0)).toEqual([]);
    expect(await absurd(T0 + HOUR)).toEqual([]);
  });

  it("a question about yesterday, at whatever step, leaves nothing in the looks after it, and tells its asker", async () => {
    const yesterday = T0 - 24 * HOUR;
    const steps = fc.integer({ min: 1, max: 40 }).map((n) => n * STEP);
    await fc.assert(
      fc.asyncProperty(steps, fc.constantFrom("policy", "statistics"), async (stepMs, purpose) => {
        const at = Math.ceil(yesterday / stepMs) * stepMs + 2 * stepMs;
        const { sources, absurd } = watching(new Set([at]));
        expect(await absurd(T0)).toEqual([]);
        const lacks: Lack[] = [];
        const window = { from: yesterday, to: at };
        const asked = { metric: "request_rate", window, stepMs, purpose, lacks: (lack: Lack) => lacks.push(lack) };
        await sources.metrics[0]?.range(asked, never);
        expect(lacks).toHaveLength(1);
        expect(await absurd(T0 + STEP)).toEqual([]);
      }),
      { numRuns: 12 },
    );
  });
});

describe("samples of one service that no double could be larger or smaller than", () => {
  const BUNDLE = new URL("../../../evals/data/incidents/case-0233c8fa", import.meta.url).pathname;
  const WHO = "notify";
  const EXTREMES = [
    1.7e308, -1.7e308, 1e308, 1e154, 1e74, -1e74, 1e40, 1e15, -1e15, 5e-324, -5e-324, 1e-300, 1e16, 0, -0,
  ];
  const extreme = fc.constantFrom(...EXTREMES);

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
      const config = testConfig();
      const assessor = createAssessor({ sources: { ...recording.sources, metrics: believing(metrics) }, config });
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
      {
        numRuns: 10,
        examples: [
          [{ request_rate: 1.7e308 }],
          [{ error_rate: 1e308 }],
          [{ p99_latency: -1.7e308 }],
          [{ request_rate: 1e74 }],
          [{ error_rate: 1e74 }],
        ],
      },
    );
  });
});
