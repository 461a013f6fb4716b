import { describe, expect, it } from "vitest";
import { createDetectionEngine } from "../../../core/detection/engine.ts";
import type { Series } from "../../../core/model/signal.ts";
import { testConfig } from "../assessment/config.ts";
import { level, seriesOf, T0, traffic } from "./series.ts";

const STEP = 15_000;
const config = testConfig();
const HISTORY = 240;

/** Feeds series step by step, as a watch does, and returns every evaluation. */
function walk(series: readonly Series[], steps: number, engine = createDetectionEngine(config), from = 0) {
  const seen = [];
  for (let i = from; i < steps; i++) {
    const part = series.map((one) => ({
      ...one,
      values: one.values.slice(Math.max(0, i - 4), i + 1),
      startAt: one.startAt + Math.max(0, i - 4) * one.stepMs,
    }));
    engine.ingest(part, "statistics");
    const now = T0 + (i + 1) * (series[0]?.stepMs ?? STEP);
    seen.push({ i, now, findings: engine.evaluate(now).findings });
  }
  return seen;
}
const worse = (series: readonly Series[], steps: number) =>
  walk(series, steps).filter(({ findings }) => findings.some(({ verdict }) => verdict === "worse"));

describe("errors", () => {
  it.each([
    ["from 0.2 % to 20 % at 50 requests a second, in two samples", 0.002, 0.2, 50, 2],
    ["from 0.2 % to 3 % at 50 requests a second, within four samples", 0.002, 0.03, 50, 4],
    ["from 5 % to 25 % at 20 requests a second, within four samples", 0.05, 0.25, 20, 4],
    ["from 0.2 % to 50 % at one request a second, within six samples", 0.002, 0.5, 1, 6],
  ])("are found %s", (_name, before, after, rate, within) => {
    const series = traffic(HISTORY + 30, (i) => (i < HISTORY ? before : after), { rate });
    const first = worse(series, HISTORY + 30)[0];
    expect(first?.i).toBeGreaterThanOrEqual(HISTORY);
    expect((first?.i ?? 1e9) - HISTORY + 1).toBeLessThanOrEqual(within);
    const onset = first?.findings.find(({ metric }) => metric === "error_rate")?.onset;
    const truth = T0 + HISTORY * STEP;
    expect(onset?.earliest).toBeLessThanOrEqual(truth);
    expect(onset?.latest).toBeGreaterThanOrEqual(truth);
  });

  it.each([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])(
    "raise no alarm on overdispersed, autocorrelated traffic (seed %i)",
    (seed) => {
      for (const rate of [0.05, 2, 80])
        expect(
          worse(
            traffic(600, () => 0.004, { rate, seed }),
            600,
          ),
        ).toEqual([]);
    },
  );

  it("of three requests a minute are noise, not an alarm", () => {
    const values = Array.from({ length: 400 }, (_, i) => (i % 37 === 0 ? 1 : 0));
    const rate = values.map(() => 3 / 60);
    expect(worse([seriesOf("request_rate", rate), seriesOf("error_rate", values)], 400)).toEqual([]);
  });

  it("never count on a single sample, however wild", () => {
    const series = traffic(HISTORY + 20, (i) => (i === HISTORY ? 0.9 : 0.002));
    expect(worse(series, HISTORY + 20)).toEqual([]);
  });

  it("that pass end the finding, which is then told as transient", () => {
    const series = traffic(HISTORY + 40, (i) => (i >= HISTORY && i < HISTORY + 6 ? 0.1 : 0.002));
    const last = walk(series, HISTORY + 40).at(-1)?.findings;
    expect(last).toMatchObject([{ verdict: "no-worse", metric: "error_rate" }]);
    expect(last?.[0]?.because).toContain("transient");
  });

  it("that fall are not worse", () => {
    expect(
      worse(
        traffic(HISTORY + 40, (i) => (i < HISTORY ? 0.1 : 0.001)),
        HISTORY + 40,
      ),
    ).toEqual([]);
  });

  it("are found without request rates, as a level", () => {
    const [, errors] = traffic(HISTORY + 20, (i) => (i < HISTORY ? 0.002 : 0.2));
    expect(worse(errors === undefined ? [] : [errors], HISTORY + 20).length).toBeGreaterThan(10);
  });
});

describe("levels", () => {
  it("that double are found within eight samples, in the direction that hurts alone", () => {
    const slow = level(HISTORY + 20, (i) => (i < HISTORY ? 1 : 2));
    const first = worse([seriesOf("p99_latency", slow)], HISTORY + 20)[0];
    expect((first?.i ?? 1e9) - HISTORY + 1).toBeLessThanOrEqual(8);
    const fast = level(HISTORY + 20, (i) => (i < HISTORY ? 1 : 0.5));
    expect(worse([seriesOf("p99_latency", fast)], HISTORY + 20)).toEqual([]);
  });

  it("of a gauge that hurts when it falls are found when it falls", () => {
    const falling = level(HISTORY + 20, (i) => (i < HISTORY ? 1 : 0.4));
    const custom = {
      ...seriesOf("p99_latency", falling),
      metric: "orders_per_minute",
      unit: "",
      worse: "down" as const,
    };
    expect(worse([custom], HISTORY + 20).length).toBeGreaterThan(0);
  });

  it("whose traffic alone changes are no harm", () => {
    const doubled = level(HISTORY + 20, (i) => (i < HISTORY ? 1 : 2));
    expect(worse([seriesOf("request_rate", doubled)], HISTORY + 20)).toEqual([]);
  });

  it("that are high at this time every day are usual", () => {
    const daily = (at: number) => (new Date(at).getUTCHours() === 13 ? 3 : 1);
    const historyStep = 300_000;
    const start = T0 - 5 * 86_400_000;
    const past = Array.from({ length: 5 * 288 }, (_, i) => 100 * daily(start + i * historyStep));
    const fine = level(HISTORY + 20, (i) => daily(T0 + (i + 1) * STEP));
    const series = [seriesOf("p99_latency", fine)];
    const engine = createDetectionEngine(config);
    engine.ingest([seriesOf("p99_latency", past, { startAt: start, stepMs: historyStep })], "statistics");
    const bad = walk(series, HISTORY + 20, engine).filter(({ findings }) =>
      findings.some(({ verdict }) => verdict === "worse"),
    );
    expect(bad).toEqual([]);
    expect(worse(series, HISTORY + 20).length).toBeGreaterThan(0); // without the history it is a shift
  });

  it("that creep toward their limit are told with a forecast", () => {
    const memory = Array.from({ length: 512 }, (_, i) => 0.4 + 0.0008 * Math.max(0, i - 128) + 0.002 * Math.sin(i));
    const found = worse([seriesOf("memory_usage", memory)], 512)
      .at(-1)
      ?.findings.find(({ detector }) => detector === "drift");
    expect(found?.because).toMatch(/reaches its limit in 1h\d+m/);
  });

  it.each([
    ["that creep because traffic does are the traffic's", (i: number) => 50 + 0.2 * Math.max(0, i - 128), false],
    ["that creep while traffic stays are told", () => 50, true],
    ["that creep by more than traffic explains are told", (i: number) => 50 + 0.03 * Math.max(0, i - 128), true],
  ] as const)("of cpu %s", (_, rate, told) => {
    const use = Array.from({ length: 512 }, (_, i) => 0.2 + 0.0008 * Math.max(0, i - 128) + 0.002 * Math.sin(i));
    const requests = Array.from({ length: 512 }, (_, i) => rate(i));
    const found = worse([seriesOf("cpu_usage", use), seriesOf("request_rate", requests)], 512).flatMap(
      ({ findings }) => findings,
    );
    expect(found.some(({ detector, metric }) => detector === "drift" && metric === "cpu_usage")).toBe(told);
  });
});

describe("missing data", () => {
  it("is unknown once it lasts longer than two steps and a minute, never healthy and never failing", () => {
    const engine = createDetectionEngine(config);
    walk(
      traffic(100, () => 0.002),
      100,
      engine,
    );
    const end = T0 + 100 * STEP;
    expect(engine.evaluate(end + 90_000).findings).toEqual([]);
    const silent = engine.evaluate(end + 90_001).findings;
    expect(silent.map(({ verdict }) => verdict)).toEqual(["unknown", "unknown"]);
  });

  it("in the middle of trouble neither ends nor deepens it", () => {
    const gap = (values: readonly (number | null)[]) =>
      values.map((value, i) => (i > HISTORY + 3 && i < HISTORY + 12 ? null : value));
    const series = traffic(HISTORY + 13, (i) => (i < HISTORY ? 0.002 : 0.2)).map((one) => ({
      ...one,
      values: gap(one.values),
    }));
    expect(
      walk(series, HISTORY + 13)
        .at(-1)
        ?.findings.find(({ metric }) => metric === "error_rate")?.verdict,
    ).toBe("worse");
  });
});

describe("the engine", () => {
  const series = traffic(HISTORY + 20, (i) => (i < HISTORY ? 0.002 : 0.05));

  it("says the same when every span is read twice", () => {
    const engine = createDetectionEngine(config);
    const twice = series.flatMap((one) => [one, one]);
    expect(walk(twice, HISTORY + 20, engine).at(-1)?.findings).toEqual(walk(series, HISTORY + 20).at(-1)?.findings);
  });

  it("goes on from a stored state as if it had never stopped", () => {
    const half = createDetectionEngine(config);
    walk(series, HISTORY + 2, half);
    const other = createDetectionEngine(config);
    other.restore(JSON.parse(JSON.stringify(half.state())));
    const resumed = walk(series, HISTORY + 20, other, HISTORY + 2).at(-1)?.findings;
    expect(resumed).toEqual(walk(series, HISTORY + 20).at(-1)?.findings);
  });

  it("shifts its answer with time, and nothing else", () => {
    const later = 7 * 86_400_000;
    const moved = series.map((one) => ({ ...one, startAt: one.startAt + later }));
    const engine = createDetectionEngine(config);
    engine.ingest(moved, "statistics");
    const there = engine.evaluate(T0 + later + (HISTORY + 20) * STEP).findings[0];
    const fixed = createDetectionEngine(config);
    fixed.ingest(series, "statistics");
    const here = fixed.evaluate(T0 + (HISTORY + 20) * STEP).findings[0];
    expect(there?.onset?.at).toBe((here?.onset?.at ?? 0) + later);
    expect({ ...there, onset: null, detectedAt: 0 }).toEqual({ ...here, onset: null, detectedAt: 0 });
  });

  it("forgets pods and versions that are gone, and never a service", () => {
    const engine = createDetectionEngine(config);
    engine.ingest(series, "statistics");
    engine.ingest(
      series.map((one) => ({ ...one, labels: { version: "v1" } })),
      "statistics",
    );
    expect([...engine.signals()]).toHaveLength(4);
    engine.evaluate(T0 + 12 * 3_600_000);
    expect([...engine.signals()].map(({ labels }) => labels)).toEqual([{}, {}]);
  });

  it("gives back the recent samples of a window", () => {
    const engine = createDetectionEngine(config);
    engine.ingest(series, "statistics");
    const [rate] = engine.recent({ from: T0 + 10 * STEP, to: T0 + 12 * STEP });
    expect(rate?.startAt).toBe(T0 + 10 * STEP);
    expect(rate?.values).toEqual(series[0]?.values.slice(9, 12));
  });

  it("gives samples of a window as they are held when they are first read, and the same from then on", () => {
    const engine = createDetectionEngine(config);
    engine.ingest(series, "statistics");
    const window = { from: T0 + 10 * STEP, to: T0 + 12 * STEP };
    const [before, after] = [engine.recent(window)[0], engine.recent(window)[0]];
    const values = before?.values;
    const copied = { ...before };
    engine.close();
    expect(before?.values).toBe(values);
    expect(copied.values).toEqual(series[0]?.values.slice(9, 12));
    expect(after?.values).toEqual([null, null, null]);
  });

  it("calls a shift a regression where the service was changed before it", () => {
    const engine = createDetectionEngine(config);
    const startedAt = T0 + HISTORY * STEP;
    const rest = { from: "v1", to: "v2", finishedAt: startedAt, source: "test", reversible: true } as const;
    engine.changes([{ id: "d", kind: "deploy", service: "cart", startedAt, ...rest }]);
    engine.ingest(series, "statistics");
    expect(engine.evaluate(T0 + (HISTORY + 20) * STEP).findings[0]?.detector).toBe("regression");
  });
});
