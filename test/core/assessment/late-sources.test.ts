import { describe, expect, it } from "vitest";
import { createAssessor } from "../../../core/assessment/assessor.ts";
import type { Rollout } from "../../../core/model/evidence.ts";
import type { MetricQuery, RolloutSource, Sources } from "../../../core/ports.ts";
import { testConfig } from "./config.ts";

const T0 = Date.parse("2026-03-02T12:00:00Z");
const STEP = 15_000;
const MINUTE = 60_000;
const never = new AbortController().signal;
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

describe("a history that cannot be read at first", () => {
  it("stays a gap until it is, is asked for again every five minutes alone, and then counts", async () => {
    let tells = false;
    const asked: number[] = [];
    let now = T0;
    const range = async ({ metric, window, stepMs }: MetricQuery) => {
      if (stepMs > STEP) {
        asked.push(now);
        if (!tells) throw new Error("too slow");
      }
      const count = Math.floor((window.to - window.from) / stepMs);
      const startAt = window.to - (count - 1) * stepMs;
      const values = new Array<number>(count).fill(0.4);
      return [{ service: "cart", metric, unit: "ratio", worse: "up" as const, labels: {}, startAt, stepMs, values }];
    };
    const metrics = [{ name: "prometheus", metrics: () => ["memory_usage"], range }];
    const assessor = createAssessor({ sources: { ...none, metrics }, config: testConfig() }, { capacity: 100 });
    const gapsAt = async (at: number) => {
      now = at;
      return (await assessor.tick(at, never)).gaps.map(({ what }) => what);
    };
    const missing = ["history: memory_usage"];
    for (let at = T0; at < T0 + 5 * MINUTE; at += STEP) expect(await gapsAt(at)).toEqual(missing);
    expect(asked).toEqual([T0]);
    expect(await gapsAt(T0 + 5 * MINUTE)).toEqual(missing);
    tells = true;
    expect(await gapsAt(T0 + 6 * MINUTE)).toEqual(missing);
    expect(await gapsAt(T0 + 10 * MINUTE)).toEqual([]);
    expect(asked).toEqual([T0, T0 + 5 * MINUTE, T0 + 10 * MINUTE]);
    expect(assessor.engine.signal("cart", "memory_usage")?.history).not.toBeNull();
    expect(await gapsAt(T0 + 20 * MINUTE)).toEqual([]);
    expect(asked).toHaveLength(3);
  });
});

describe("a source of changes that was silent for hours", () => {
  it("is asked for all that it may have missed, up to a day", async () => {
    let isDown = false;
    const windows: number[] = [];
    const changes = [
      {
        name: "argocd",
        changes: async ({ from, to }: { readonly from: number; readonly to: number }) => {
          if (isDown) throw new Error("gone");
          windows.push(to - from);
          return [];
        },
      },
    ];
    const assessor = createAssessor({ sources: { ...none, changes }, config: testConfig() });
    const HOUR = 60 * MINUTE;
    await assessor.tick(T0, never);
    await assessor.tick(T0 + STEP, never);
    isDown = true;
    for (let at = T0 + HOUR; at < T0 + 6 * HOUR; at += HOUR) await assessor.tick(at, never);
    isDown = false;
    await assessor.tick(T0 + 6 * HOUR, never);
    await assessor.tick(T0 + 60 * HOUR, never);
    expect(windows).toEqual([24 * HOUR, 2 * HOUR + STEP, 8 * HOUR - STEP, 24 * HOUR]);
  });
});

describe("two systems that deploy", () => {
  const stuck = (service: string, observedAt: number): Rollout => ({
    service,
    workload: { kind: "Deployment", namespace: "production", name: service },
    version: "v2",
    revision: "2",
    status: "stuck",
    replicas: { desired: 2, updated: 1, ready: 1, available: 1 },
    restarts: 0,
    revisions: [],
    observedAt,
    startedAt: T0 - 10 * MINUTE,
  });

  it("one that no longer answers takes nothing from the other, and what it said last fires no condition and finds nothing worse", async () => {
    let now = T0;
    let down = false;
    const cluster = (service: string, fails: () => boolean): RolloutSource => ({
      name: "kubernetes",
      rollouts: async () => {
        if (fails()) throw new Error("no connection");
        return [stuck(service, now)];
      },
    });
    const rollouts = [cluster("cart", () => down), cluster("web", () => false)];
    const assessor = createAssessor({ sources: { ...none, rollouts }, config: testConfig() });
    const statesAt = async (at: number) => {
      now = at;
      const { conditions, findings } = await assessor.tick(at, never);
      const health = conditions.filter(({ metric }) => metric === "health_check_failures");
      return {
        conditions: health.map(({ service, state }) => `${service} ${state}`).sort(),
        worse: findings.filter(({ verdict }) => verdict === "worse").map(({ service }) => service),
      };
    };
    const both = { conditions: ["cart firing", "web firing"], worse: ["cart", "web"] };
    expect(await statesAt(T0)).toEqual(both);
    down = true;
    expect(await statesAt(T0 + STEP)).toEqual({ conditions: ["cart unknown", "web firing"], worse: ["web"] });
    down = false;
    expect(await statesAt(T0 + 2 * MINUTE)).toEqual(both);
  });
});
