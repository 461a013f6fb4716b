import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createAssessor } from "../../../core/assessment/assessor.ts";
import { rangeInPieces } from "../../../core/assessment/read-range.ts";
import { UnshipError } from "../../../core/errors.ts";
import type { MetricQuery, MetricSource, Sources } from "../../../core/ports.ts";
import { testConfig } from "./config.ts";

const T0 = Date.parse("2026-03-02T12:00:00Z");
const STEP = 15_000;
const never = new AbortController().signal;
const tooLarge = () =>
  new UnshipError("source.too_large", { source: "prometheus", limit: 1, narrow: "narrow the question" });

/** A source that answers so many points at most; what it answered stands in `answered`, with what it refused. */
function small(most: number, failsAt = Number.POSITIVE_INFINITY) {
  const answered: number[] = [];
  let asked = 0;
  const range = async ({ metric, window, stepMs }: MetricQuery) => {
    asked += 1;
    const startAt = Math.ceil(window.from / stepMs) * stepMs;
    const count = Math.floor((window.to - startAt) / stepMs) + 1;
    if (count > most) throw tooLarge();
    if (window.to >= failsAt) throw new UnshipError("source.unavailable", { source: "prometheus" });
    answered.push(...Array.from({ length: count }, (_, i) => startAt + i * stepMs));
    const values = new Array<number>(count).fill(0.4);
    return [{ service: "cart", metric, unit: "ratio", worse: "up" as const, labels: {}, startAt, stepMs, values }];
  };
  const source: MetricSource = { name: "prometheus", metrics: () => ["memory_usage"], range };
  return { source, answered, asked: () => asked };
}

async function piecesOf(source: MetricSource, from: number, to: number) {
  const query = { metric: "memory_usage", window: { from, to }, stepMs: STEP, purpose: "statistics" } as const;
  const ends: number[] = [];
  for await (const { to } of rangeInPieces(source, query, never)) ends.push(to);
  return ends;
}

describe("a window that is too large for one answer", () => {
  it("is read in pieces that hold each point once, in order, and end where it ends", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 2, max: 400 }),
        fc.integer({ min: 0, max: 2000 }),
        fc.nat(STEP - 1),
        async (most, steps, off) => {
          const { source, answered, asked } = small(most);
          const [from, to] = [T0 + off, T0 + off + steps * STEP];
          const ends = await piecesOf(source, from, to);
          const first = Math.ceil(from / STEP);
          const points = Math.floor(to / STEP) - first + 1;
          expect(answered).toEqual(Array.from({ length: points }, (_, i) => (first + i) * STEP));
          expect(ends.at(-1)).toBe(to);
          expect(asked()).toBeLessThanOrEqual(12 + (4 * points) / most);
        },
      ),
    );
  });

  it("is asked for at once where it is not", async () => {
    const { source, asked } = small(2000);
    expect(await piecesOf(source, T0, T0 + 1440 * STEP)).toEqual([T0 + 1440 * STEP]);
    expect(asked()).toBe(1);
  });

  it("is given up where one step is too large, and where the source fails otherwise", async () => {
    await expect(piecesOf(small(0).source, T0, T0 + 100 * STEP)).rejects.toThrow(/narrow the question/);
    await expect(piecesOf(small(2000, T0).source, T0, T0 + 100 * STEP)).rejects.toThrow(/no usable answer/);
  });
});

describe("a watch over more services than one answer holds", () => {
  const none: Sources = {
    metrics: [],
    changes: [{ name: "history", changes: async () => [] }],
    logs: [],
    traces: [],
    topology: [],
    flags: [],
    rollouts: [],
    alerts: [],
  };

  it("knows the last hours and days after its first tick, as if one answer had held them", async () => {
    const known = async (most: number) => {
      const sources = { ...none, metrics: [small(most).source] };
      const assessor = createAssessor({ sources, config: testConfig() });
      const { gaps } = await assessor.tick(T0, never);
      return { gaps, state: JSON.stringify(assessor.state()) };
    };
    const whole = await known(10_000);
    expect(whole.gaps).toEqual([]);
    expect(await known(100)).toEqual(whole);
  });

  it("goes on where it failed", async () => {
    const { source, answered } = small(400, T0 - 2 * 3_600_000);
    let failed = true;
    const range = (query: MetricQuery, abort: AbortSignal) =>
      failed ? source.range(query, abort) : small(400).source.range(query, abort);
    const sources = { ...none, metrics: [{ ...source, range }] };
    const assessor = createAssessor({ sources, config: testConfig() });
    const { gaps } = await assessor.tick(T0, never);
    expect(gaps.map(({ what }) => what).toSorted()).toEqual(["history: memory_usage", "metrics: memory_usage"]);
    expect(answered.length).toBeGreaterThan(0);
    failed = false;
    expect((await assessor.tick(T0 + STEP, never)).gaps.map(({ what }) => what)).toEqual(["history: memory_usage"]);
    const grid = assessor.engine.signal("cart", "memory_usage")?.grid;
    expect([grid?.first, grid?.next].map((slot) => slot !== undefined)).toEqual([true, true]);
    expect((grid?.next ?? 0) - (grid?.first ?? 0)).toBeGreaterThan(1430);
  });
});
