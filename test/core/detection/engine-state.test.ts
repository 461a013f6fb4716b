import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createDetectionEngine, type DetectionEngine } from "../../../core/detection/engine.ts";
import type { Change } from "../../../core/model/change.ts";
import type { Rollout } from "../../../core/model/evidence.ts";
import type { Series } from "../../../core/model/signal.ts";
import { testConfig } from "../assessment/config.ts";
import { level, seriesOf, T0, traffic } from "./series.ts";

const STEP = 15_000;
const DAY = 86_400_000;
const STEPS = 200;
const config = testConfig();

/** What `series` says in the step `i`, as a watch reads it. */
const partAt = (series: readonly Series[], i: number): readonly Series[] =>
  series.map((one) => ({ ...one, startAt: one.startAt + i * one.stepMs, values: one.values.slice(i, i + 1) }));

function walk(engine: DetectionEngine, series: readonly Series[], from: number, to: number): readonly unknown[] {
  const seen: unknown[] = [];
  for (let i = from; i < to; i++) {
    engine.ingest(partAt(series, i), "statistics");
    engine.ingest(partAt(series, i), "policy");
    seen.push(engine.evaluate(T0 + (i + 1) * STEP));
  }
  return seen;
}

/** Days of five-minute samples up to now, with the same shift at this time of each day. */
function days(usual: number, shifted: number): Series {
  const [from, stepMs] = [T0 - 5 * DAY, 300_000];
  const values = Array.from({ length: (5 * DAY) / stepMs }, (_, i) =>
    (from + i * stepMs) % DAY >= (T0 + 120 * STEP) % DAY ? shifted : usual,
  );
  return seriesOf("p99_latency", values, { stepMs, startAt: from });
}

describe("a restored engine", () => {
  it("finds from then on what one finds that ran through, wherever it was interrupted", () => {
    const begins = 120;
    const latency = level(STEPS, (i) => (i < begins ? 1 : 1.8), { usual: 200, seed: 3 });
    const series = [
      ...traffic(STEPS, (i) => (i < begins ? 0.004 : 0.2), { rate: 40, seed: 2 }),
      seriesOf("p99_latency", latency),
      seriesOf(
        "memory_usage",
        Array.from({ length: STEPS }, (_, i) => 0.4 + 0.002 * i),
      ),
    ];
    const fresh = () => {
      const engine = createDetectionEngine(config);
      engine.ingest(partAt(series, 0), "statistics");
      engine.ingest([days(200, 360)], "statistics");
      return engine;
    };
    const through = walk(fresh(), series, 0, STEPS);
    const told = new Set(JSON.stringify(through).match(/"verdict":"(worse|inconclusive)"/g));
    expect(told.size).toBe(2);
    expect(JSON.stringify(through)).toContain("baseline at this time of day");
    fc.assert(
      fc.property(fc.integer({ min: 1, max: STEPS - 1 }), (at) => {
        const first = fresh();
        walk(first, series, 0, at);
        const stored = JSON.stringify(first.state());
        const second = createDetectionEngine(config);
        second.restore(JSON.parse(stored));
        expect(JSON.stringify(second.state())).toBe(stored);
        expect(walk(second, series, at, STEPS)).toEqual(through.slice(at));
      }),
      { numRuns: 12 },
    );
  });

  it("knows the changes, the workloads and the call graph that the other one was told of, and is told nothing again", () => {
    const begins = 120;
    const deploy: Change = {
      ...{ id: "d", kind: "deploy", service: "cart", from: "v1", to: "v2", source: "test", reversible: true },
      ...{ startedAt: T0 + begins * STEP, finishedAt: T0 + (begins + 2) * STEP },
    };
    const stuck: Rollout = {
      ...{ service: "cart", workload: { kind: "Deployment", namespace: "production", name: "cart" } },
      ...{ version: "v2", revision: "2", status: "stuck", restarts: 0, revisions: [] },
      ...{ replicas: { desired: 2, updated: 1, ready: 1, available: 1 }, startedAt: T0 + begins * STEP },
      observedAt: T0 + STEPS * STEP,
    };
    const others = ["mail", "search", "stock"];
    const series = [
      ...traffic(STEPS, (i) => (i < begins ? 0.004 : 0.2), { rate: 40, seed: 2 }),
      ...others.flatMap((service, i) => traffic(STEPS, () => 0.004, { rate: 40, seed: 10 + i, service })),
    ];
    const told = (engine: DetectionEngine) => {
      engine.changes([deploy]);
      engine.notice([stuck]);
      engine.graph([
        ["gateway", "web"],
        ["gateway", "batch"],
        ["web", "cart"],
        ...others.map((service): [string, string] => ["batch", service]),
      ]);
    };
    const through = createDetectionEngine(config);
    told(through);
    const whole = walk(through, series, 0, STEPS);
    const detectors = new Set(JSON.stringify(whole.at(-1)).match(/"detector":"[^"]+"/g));
    expect(detectors).toContain('"detector":"regression"');
    expect(detectors).toContain('"detector":"rollout"');
    expect(JSON.stringify(whole.at(-1))).toContain("services that the change cannot reach");
    for (const at of [1, 100, 123, 130, 190]) {
      const first = createDetectionEngine(config);
      told(first);
      walk(first, series, 0, at);
      const second = createDetectionEngine(config);
      second.restore(JSON.parse(JSON.stringify(first.state())));
      expect(walk(second, series, at, STEPS)).toEqual(whole.slice(at));
    }
  });
});
