import { describe, expect, it } from "vitest";
import { createDetectionEngine } from "../../../core/detection/engine.ts";
import { type Series, SLOW_SHARE } from "../../../core/model/signal.ts";
import { createRandom } from "../../../evals/bench/random.ts";
import { testConfig } from "../assessment/config.ts";
import { seriesOf, T0 } from "./series.ts";

const STEP = 15_000;
const BEFORE = 200;
const AFTER = 40;
const config = testConfig();

interface Latencies {
  readonly rate: number;
  /** Share of requests beyond the bound, and the 99th percentile in ms with its noise. */
  readonly slow: (i: number) => number;
  readonly p99: (i: number) => number;
  readonly noise: number;
}

function latencies({ rate, slow, p99, noise }: Latencies, seed = 1): readonly Series[] {
  const random = createRandom(seed);
  const rows = Array.from({ length: BEFORE + AFTER }, (_, i) => {
    const n = Math.max(1, random.poisson(rate * 15));
    return { n, k: random.binomial(n, slow(i - BEFORE)), p99: p99(i - BEFORE) * Math.exp(noise * random.normal()) };
  });
  const share = seriesOf(
    "error_rate",
    rows.map(({ k, n }) => k / n),
    { metric: SLOW_SHARE },
  );
  return [
    seriesOf(
      "request_rate",
      rows.map(({ n }) => n / 15),
    ),
    share,
    seriesOf(
      "p99_latency",
      rows.map((row) => row.p99),
    ),
  ];
}

function watched(series: readonly Series[]) {
  const engine = createDetectionEngine(config);
  return Array.from({ length: BEFORE + AFTER }, (_, i) => {
    const now = T0 + (i + 1) * STEP;
    engine.ingest(
      series.map((one) => ({ ...one, startAt: now, values: [one.values[i] ?? null] })),
      "statistics",
    );
    return { ...engine.evaluate(now), i: i - BEFORE };
  });
}
const first = (series: readonly Series[]) =>
  watched(series).find(({ findings }) => findings.some(({ verdict }) => verdict === "worse"));

/** One request in fifty is slow, and then one in five; the percentile of so few requests is all noise. */
const shift: Latencies = {
  rate: 4,
  slow: (i) => (i < 0 ? 0.02 : 0.2),
  p99: (i) => (i < 0 ? 400 : 1200),
  noise: 0.6,
};

describe("the share of slow requests", () => {
  it("finds by count what the percentile of few requests finds later, and tells it of the percentile", () => {
    const found = first(latencies(shift));
    const alone = first(latencies(shift).filter(({ metric }) => metric !== SLOW_SHARE));
    expect(found?.i).toBeLessThan(alone?.i ?? Number.POSITIVE_INFINITY);
    const [finding] = found?.findings ?? [];
    expect(finding).toMatchObject({ detector: "slow-share", metric: "p99_latency", unit: "ms", verdict: "worse" });
    expect(finding?.because).toMatch(/^slow_share of cart went from [12]\.\d+ % to/);
    expect(finding?.onset?.earliest).toBeLessThanOrEqual(T0 + BEFORE * STEP);
    expect(finding?.onset?.latest).toBeGreaterThanOrEqual(T0 + BEFORE * STEP);
    expect(finding?.current).toBeGreaterThan(finding?.baseline ?? 0);
  });

  it.each([1, 2, 3])("raises no alarm while as many as usual are slow (seed %i)", (seed) => {
    expect(first(latencies({ ...shift, slow: () => 0.02, p99: () => 400 }, seed))).toBeUndefined();
  });

  it("that grows by less than half says nothing: the same requests a little later", () => {
    const slightly = { ...shift, rate: 50, slow: (i: number) => (i < 0 ? 0.02 : 0.029), p99: () => 400 };
    expect(first(latencies(slightly))).toBeUndefined();
  });

  it("speaks once: what the percentile is sure of stands as it is", () => {
    const clear = { ...shift, rate: 100, noise: 0.05 };
    const last = watched(latencies(clear)).at(-1)?.findings ?? [];
    expect(last.filter(({ metric }) => metric === "p99_latency").map(({ verdict }) => verdict)).toEqual(["worse"]);
    expect(last.map(({ metric }) => metric)).not.toContain(SLOW_SHARE);
  });

  it("says nothing where nobody measures the percentile, or where it has fallen silent", () => {
    expect(first(latencies(shift).filter(({ metric }) => metric !== "p99_latency"))).toBeUndefined();
    const engine = createDetectionEngine(config);
    engine.ingest(latencies(shift), "statistics");
    const silent = engine.evaluate(T0 + (BEFORE + AFTER) * STEP + 600_000).findings;
    expect(silent.map(({ verdict }) => verdict)).toEqual(["unknown", "unknown"]);
  });
});
