import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DERIVED } from "../../../../mcp-tools/connectors/scrape/measure.ts";
import { addBuckets, histogramQuantile } from "../../../../mcp-tools/connectors/scrape/quantile.ts";
import type { Reading, Tick } from "../../../../mcp-tools/connectors/scrape/reading.ts";
import { valuesOf } from "../../../../mcp-tools/connectors/scrape/steps.ts";
import { SlidingWindow } from "../../../../mcp-tools/connectors/scrape/window.ts";

const STEP = 1000;
const FIRST = 1_700_000_000; // in steps
const INF = Number.POSITIVE_INFINITY;
const LAYOUTS = [
  [0.1, 1, INF],
  [0.5, 1, 5, INF],
];

const reading: fc.Arbitrary<Reading> = fc
  .record({
    version: fc.constantFrom("1", "2"),
    baseline: fc.boolean(),
    requests: fc.nat(30),
    failing: fc.double({ min: 0, max: 1, noNaN: true }),
    layout: fc.constantFrom(...LAYOUTS),
    cpuSeconds: fc.integer({ min: 0, max: 8 }).map((eighths) => eighths / 8),
    memoryBytes: fc.integer({ min: 1, max: 100 }),
  })
  .map(({ version, baseline, requests, failing, layout, cpuSeconds, memoryBytes }) => ({
    service: "shop",
    version,
    elapsedMs: baseline ? null : STEP,
    memoryBytes,
    memoryLimitBytes: 100,
    ...(baseline
      ? {}
      : {
          requests,
          errors: Math.floor(requests * failing),
          cpuSeconds,
          duration: { bounds: layout, counts: layout.map((_, i) => Math.ceil((requests * (i + 1)) / layout.length)) },
        }),
  }));
/** Steps in a row; in some of them nobody answered, and then perhaps somebody is known to be missing. */
const story = fc.array(
  fc.record({ readings: fc.array(reading, { maxLength: 4 }), missing: fc.constantFrom(0, 0, 0, 1) }),
  { minLength: 1, maxLength: 30 },
);

/** The same, by definition: everything of the span put in one heap. */
function naive(metric: string, ticks: readonly Tick[], spanTicks: readonly Tick[]): number | null {
  const heap = (of: readonly Tick[]) =>
    of.flatMap(({ readings }) => readings.filter(({ elapsedMs }) => elapsedMs !== null));
  const own = heap(ticks);
  const all = heap(spanTicks);
  const sum = (list: readonly Reading[], value: (one: Reading) => number) =>
    list.reduce((total, one) => total + value(one), 0);
  const requests = (list: readonly Reading[]) => sum(list, (one) => one.requests ?? 0);
  const counting = spanTicks.filter(({ readings }) => readings.some(({ elapsedMs }) => elapsedMs !== null)).length;
  if (metric === "request_rate") {
    const missing = ticks.some((tick) => tick.missing.length > 0);
    return own.length === 0 || missing ? null : requests(all) / counting;
  }
  if (metric === "error_rate") return requests(own) === 0 ? null : sum(all, (one) => one.errors ?? 0) / requests(all);
  if (metric === "cpu_usage") return own.length === 0 ? null : sum(all, (one) => one.cpuSeconds ?? 0) / all.length;
  if (metric === "memory_usage") {
    const shares = ticks.flatMap(({ readings }) => readings.map((one) => (one.memoryBytes ?? 0) / 100));
    return shares.length === 0 ? null : Math.max(...shares);
  }
  const quantile = (list: readonly Reading[]) => {
    const layouts = LAYOUTS.map((bounds) => list.filter(({ duration }) => duration?.bounds === bounds));
    const buckets = addBuckets(
      layouts
        .filter((same) => same.length > 0)
        .map((same) => {
          const bounds = same[0]?.duration?.bounds ?? [];
          return { bounds, counts: bounds.map((_, i) => sum(same, (one) => one.duration?.counts[i] ?? 0)) };
        }),
    );
    return buckets === null ? null : histogramQuantile(metric === "p50_latency" ? 0.5 : 0.99, buckets);
  };
  if (quantile(own) === null) return null;
  const seconds = quantile(all);
  return seconds === null ? null : seconds * 1000;
}

describe("valuesOf", () => {
  it.each(Object.keys(DERIVED))("%s equals its definition, for every span and every coarser grid", (metric) => {
    fc.assert(
      fc.property(story, fc.integer({ min: 1, max: 7 }), fc.integer({ min: 1, max: 4 }), (steps, span, factor) => {
        const past = new SlidingWindow({ intervalMs: STEP, windowMs: 1e9, maxTracks: 10, defaultCores: 1 });
        const ticks = steps.map(
          ({ readings, missing }, i): Tick => ({
            at: (FIRST + i) * STEP,
            readings,
            missing: missing === 0 ? [] : [{ service: "shop", version: "1", targets: 1 }],
          }),
        );
        for (const tick of ticks) past.add(tick);
        const stepMs = factor * STEP;
        const startAt = Math.ceil(FIRST / factor) * stepMs;
        const grid = { startAt, stepMs, count: 12 };
        const measure = DERIVED[metric];
        if (measure === undefined) throw new Error("no such metric");
        const found = valuesOf([...past.tracks], STEP, grid, span, measure);
        expect(found.length).toBe(grid.count);
        found.forEach((value, i) => {
          const end = startAt + i * stepMs;
          const within = (length: number) => ticks.filter(({ at }) => at <= end && at > end - length);
          const expected = naive(metric, within(stepMs), within(span * stepMs));
          if (expected === null) expect(value).toBeNull();
          else expect(value).toBeCloseTo(expected, 9);
        });
      }),
      { numRuns: 150 },
    );
  });

  it("forgets what is older than the window, and versions of which nothing is left", () => {
    const past = new SlidingWindow({ intervalMs: STEP, windowMs: 60 * STEP, maxTracks: 10, defaultCores: 1 });
    const one = (version: string): Reading => ({ service: "shop", version, elapsedMs: STEP, requests: 1, errors: 0 });
    for (let i = 0; i < 5000; i += 1)
      past.add({ at: (FIRST + i) * STEP, readings: i < 100 ? [one("1"), one("2")] : [one("2")], missing: [] });
    expect([...past.tracks].map(({ version }) => version)).toEqual(["2"]);
  });

  it("keeps no more services than it may, and counts what it dropped", () => {
    const past = new SlidingWindow({ intervalMs: STEP, windowMs: 60 * STEP, maxTracks: 3, defaultCores: 1 });
    const readings = Array.from(
      { length: 5 },
      (_, i): Reading => ({ service: `s${i}`, version: "", elapsedMs: STEP, requests: 1 }),
    );
    past.add({ at: FIRST * STEP, readings, missing: [] });
    expect([...past.tracks].length).toBe(3);
    expect(past.dropped).toBe(2);
  });
});
