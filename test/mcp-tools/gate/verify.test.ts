import { describe, expect, it } from "vitest";
import type { Config } from "../../../core/config/config.ts";
import type { FlagState, Rollout } from "../../../core/model/evidence.ts";
import type { ConditionState } from "../../../core/model/finding.ts";
import type { Baseline } from "../../../core/model/incident.ts";
import type { TargetResult } from "../../../core/model/plan.ts";
import type { FlagSource, MetricQuery, MetricSource, RolloutSource, TopologySource } from "../../../core/ports.ts";
import { type Acted, createVerifier, type VerifierParts } from "../../../mcp-tools/gate/verify.ts";
import { firing, flagOf, MINUTE, NOW, targetOf } from "../../core/guardrails/rule-inputs.ts";

const STEP = 5000;
const ONSET = NOW - 10 * MINUTE;
const baseline: Baseline = {
  service: "checkout",
  metric: "error_rate",
  unit: "ratio",
  center: 0,
  upper: 0.01,
  lower: 0,
  requestRate: 30,
};

const cpuUse: Baseline = { ...baseline, metric: "cpu_usage", center: 0.3, upper: 0.4, lower: 0.2 };
const traffic: Baseline = {
  ...baseline,
  metric: "request_rate",
  unit: "req/s",
  center: 30,
  upper: 40,
  lower: 20,
  worse: "down",
};

const threshold = (metric: string, level: number, comparison: "greater_than" | "less_than" = "greater_than") =>
  ({ kind: "threshold", metric, comparison, threshold: level, upperBound: null, durationMs: 0, text: "" }) as const;

const policies: Config["policies"] = [
  { name: "a", action: "rollback_immediate", notification: [], conditions: [threshold("error_rate", 0.05)] },
  {
    name: "b",
    action: "notify_and_recommend",
    notification: [],
    conditions: [threshold("error_rate", 0.02), threshold("orders", 3, "less_than")],
  },
];

/** Constant values over whatever window is asked for; keeps what it was asked. */
function metrics(values: Readonly<Record<string, number>>, asked: MetricQuery[] = []): MetricSource {
  return {
    name: "prometheus",
    metrics: () => Object.keys(values),
    async range(query) {
      asked.push(query);
      const count = Math.floor((query.window.to - query.window.from) / STEP) + 1;
      const shared = { metric: query.metric, unit: "", worse: "up", startAt: query.window.from, stepMs: STEP } as const;
      const value = values[query.metric] ?? 0;
      return [
        { ...shared, service: "checkout", labels: {}, values: Array.from({ length: count }, () => value) },
        { ...shared, service: "checkout", labels: { version: "v2" }, values: Array.from({ length: count }, () => 1) },
      ];
    },
  };
}

const down = (): Promise<never> => Promise.reject(new Error("connection refused"));
const dead: MetricSource = { name: "dead", metrics: () => ["error_rate", "request_rate"], range: down };

const rolloutOf = (change: Partial<Rollout> = {}): Rollout => ({
  service: "checkout",
  workload: targetOf().object,
  version: "v1",
  revision: "8",
  status: "complete",
  replicas: { desired: 2, updated: 2, ready: 2, available: 2 },
  restarts: 0,
  revisions: [],
  observedAt: NOW,
  ...change,
});
const rollouts = (...all: readonly Rollout[]): RolloutSource => ({ name: "kubernetes", rollouts: async () => all });
const flagState = (enabled: boolean): FlagState => ({
  key: "new-cart",
  environment: "production",
  enabled,
  version: "42",
  services: [],
});
const flags = (...all: readonly FlagState[]): FlagSource => ({ name: "unleash", flags: async () => all });

const done = (target = targetOf()): TargetResult => ({ target, result: "done", detail: "", at: NOW, warnings: [] });

const good = { error_rate: 0.001, request_rate: 30 };
const ALLOWED = { verdict: "allow" as const, rules: [] };

async function look(
  sources: Partial<VerifierParts["sources"]>,
  results = [done()],
  timeoutMs = MINUTE / 2,
  incident: Partial<Acted> = {},
  conditions: readonly ConditionState[] = [],
) {
  const feedback = {
    verifyRecovered: true,
    timeoutMs,
    gitOpsWaitMs: 0,
    driftWatchMs: 0,
    ifNotRecovered: null,
    logOutcome: null,
    postmortemDraft: false,
  };
  const verify = createVerifier({
    config: { policies, feedback, watch: { stepMs: STEP } },
    sources: { metrics: [metrics(good)], rollouts: [rollouts(rolloutOf())], flags: [], topology: [], ...sources },
  });
  const executedAt = NOW - 2 * MINUTE;
  const gate = { planId: "p", outcome: "executed" as const, review: ALLOWED, results, executedAt };
  const acted: Acted = {
    baselines: [baseline],
    findings: [],
    conditions: [firing({ state: "inactive" })],
    service: "checkout",
    affectedServices: ["checkout"],
    onset: { at: ONSET, earliest: ONSET, latest: ONSET },
    gate,
    timeline: [],
    ...incident,
  };
  return verify(acted, { at: NOW, conditions }, AbortSignal.timeout(5000));
}

describe("verification", () => {
  it("reads unsmoothed series since the act, of whole services, and finds recovery", async () => {
    const asked: MetricQuery[] = [];
    expect((await look({ metrics: [metrics(good, asked)] })).verdict).toBe("recovered");
    expect(asked.map(({ metric, purpose }) => [metric, purpose])).toEqual([
      ["error_rate", "statistics"],
      ["request_rate", "statistics"],
    ]);
    expect(asked[0]?.window).toEqual({ from: NOW - 2 * MINUTE, to: NOW });
  });

  it.each([
    ["still bad", { metrics: [metrics({ ...good, error_rate: 0.2 })] }, "not-recovered"],
    ["the rollout still runs", { rollouts: [rollouts(rolloutOf({ status: "progressing" }))] }, "not-recovered"],
    ["another version stands there", { rollouts: [rollouts(rolloutOf({ version: "v2" }))] }, "not-recovered"],
    ["S9: the metrics source is down", { metrics: [dead] }, "unknown"],
    ["S9: there is no metrics source", { metrics: [] }, "unknown"],
    ["S9: the rollout source is down", { rollouts: [{ name: "dead", rollouts: down }] }, "unknown"],
    ["S9: the workload is not listed", { rollouts: [rollouts()] }, "unknown"],
    ["S9: its status is unknown", { rollouts: [rollouts(rolloutOf({ status: "unknown" }))] }, "unknown"],
    ["a second source answers for one that is down", { metrics: [dead, metrics(good)] }, "recovered"],
  ] as const)("at the time-out: %s", async (_, parts, verdict) => {
    expect((await look(parts)).verdict).toBe(verdict);
  });

  it("waits before the time-out", async () => {
    expect(await look({ metrics: [dead] }, [done()], 10 * MINUTE)).toMatchObject({ verdict: "pending", at: null });
  });

  it.each([
    ["off", [flags(flagState(false))], "recovered"],
    ["on again", [flags(flagState(true))], "not-recovered"],
    ["not listed", [flags()], "unknown"],
    ["in a source that is down", [{ name: "dead", flags: down }], "unknown"],
    ["switched by an executor, with nobody else to ask", [], "recovered"],
  ] as const)("of a flag that is %s", async (_, sources, verdict) => {
    const { verdict: found, checks } = await look({ flags: sources }, [done(flagOf())]);
    expect(found).toBe(verdict);
    expect(checks[0]?.because).toMatch(/^(?!.*(?:rollout|version)).*\bflag\b/);
  });

  it("of a plan of which nothing was done is unknown", async () => {
    expect((await look({}, [{ ...done(), result: "refused" }])).verdict).toBe("unknown");
  });

  it.each([
    ["the service itself", "checkout", "unknown"],
    ["one that is affected", "web", "not-recovered"],
    ["one that the incident was opened for", "cart", "not-recovered"],
    ["one whose workload was rolled back", "payments", "not-recovered"],
    ["one that is none of these", "search", "recovered"],
  ])("S9: a condition that holds on %s", async (_, service, verdict) => {
    const acted = [done(), done({ ...targetOf(), service: "payments" })];
    const of = { affectedServices: ["checkout", "web"], trouble: ["checkout", "cart"] };
    expect((await look({}, acted, MINUTE / 2, of, [firing({ service })])).verdict).toBe(verdict);
  });

  it("judges what was wrong, and not the noise of what never was", async () => {
    const noisy = { ...baseline, metric: "p99_latency", unit: "ms", upper: 100 };
    const wrong = firing({ service: "checkout", metric: "error_rate" });
    const sources = { metrics: [metrics({ ...good, p99_latency: 900 })] };
    const both = { baselines: [baseline, noisy] };
    expect((await look(sources, [done()], MINUTE / 2, { ...both, conditions: [wrong] })).verdict).toBe("recovered");
    expect((await look(sources, [done()], MINUTE / 2, both)).verdict).toBe("not-recovered");
  });

  const wrongLatency = { conditions: [firing({ service: "checkout", metric: "p99_latency" })] };
  const notReady = { conditions: [firing({ service: "checkout", metric: "health_check_failures" })] };
  const replicas = { desired: 2, updated: 2, ready: 1, available: 1 };
  it.each([
    ["S9: wrong latency without a baseline is not vouched for by healthy errors", wrongLatency, {}, "unknown"],
    ["pods that were not ready are ready now", notReady, {}, "recovered"],
    ["a pod still is not ready", notReady, { rollouts: [rollouts(rolloutOf({ replicas }))] }, "not-recovered"],
    [
      "S9: nobody knows the pods of the service that was not ready",
      notReady,
      { rollouts: [rollouts(rolloutOf({ service: "other" }))] },
      "unknown",
    ],
  ] as const)("what was wrong and has no baseline needs a proof of its own: %s", async (_, acted, sources, verdict) => {
    const recovery = await look(sources, [done()], MINUTE / 2, { ...acted, conditions: [...acted.conditions] });
    expect(recovery.verdict).toBe(verdict);
    expect(recovery.checks.map(({ metric }) => metric)).not.toContain("error_rate");
  });

  it("the use of a resource that rose with the trouble needs no proof, unless it was declared bad", async () => {
    const cpu = firing({ service: "checkout", metric: "cpu_usage" });
    const errors = firing({ service: "checkout", metric: "error_rate" });
    const finding: Acted["findings"][number] = {
      detector: "change-point",
      service: "checkout",
      metric: "cpu_usage",
      labels: {},
      unit: "ratio",
      verdict: "worse",
      onset: null,
      detectedAt: NOW,
      baseline: 0.2,
      current: 0.8,
      samples: 20,
      strength: 9,
      because: "cpu_usage rose",
    };
    const risen = { findings: [finding], conditions: [errors] };
    expect((await look({}, [done()], MINUTE / 2, risen)).verdict).toBe("recovered");
    const declared = { findings: [finding], conditions: [errors, cpu] };
    expect((await look({}, [done()], MINUTE / 2, declared)).verdict).toBe("unknown");
  });

  it("what policy declared bad and has a baseline is judged by it: traffic from below, the use of CPU from above", async () => {
    const both = { baselines: [baseline, cpuUse, traffic] };
    const verdict = async (metric: string, values: Readonly<Record<string, number>>) => {
      const conditions = [firing({ service: "checkout", metric })];
      return (await look({ metrics: [metrics(values)] }, [done()], MINUTE / 2, { ...both, conditions })).verdict;
    };
    expect(await verdict("cpu_usage", { ...good, cpu_usage: 0.3 })).toBe("recovered");
    expect(await verdict("cpu_usage", { ...good, cpu_usage: 0.9 })).toBe("not-recovered");
    expect(await verdict("cpu_usage", good)).toBe("unknown");
    expect(await verdict("request_rate", { ...good, request_rate: 29 })).toBe("recovered");
    expect(await verdict("request_rate", { ...good, request_rate: 90 })).toBe("recovered");
    expect(await verdict("request_rate", { ...good, request_rate: 9 })).toBe("not-recovered");
  });

  it("counts from the submission where nothing had to be written", async () => {
    const gate = {
      planId: "p",
      outcome: "nothing-to-do" as const,
      review: { verdict: "allow" as const, rules: [] },
      results: [{ ...done(), result: "nothing-to-do" as const }],
      executedAt: null,
    };
    const timeline = [{ at: NOW - 90_000, event: "submitted", detail: "p" }];
    const asked: MetricQuery[] = [];
    const sources = { metrics: [metrics(good, asked)] };
    expect((await look(sources, [], MINUTE / 2, { gate, timeline })).verdict).toBe("recovered");
    expect(asked[0]?.window.from).toBe(NOW - 90_000);
  });

  describe("on a machine that became short of CPU meanwhile", () => {
    const wrong = {
      baselines: [{ ...baseline, metric: "p99_latency", unit: "ms", center: 100, upper: 150 }],
      conditions: [firing({ service: "checkout", metric: "p99_latency" })],
    };
    /** Everybody's p99: 100 ms before the onset, and since then as given. */
    const latencies = (now: Readonly<Record<string, number>>): MetricSource => ({
      name: "prometheus",
      metrics: () => ["p99_latency", "request_rate"],
      async range({ metric, window }) {
        const count = Math.floor((window.to - window.from) / STEP) + 1;
        return Object.entries(now).map(([service, ms]) => {
          const value = metric === "request_rate" ? 30 : window.to <= ONSET ? 100 : ms;
          const values = Array.from({ length: count }, () => value);
          return { service, metric, unit: "ms", worse: "up", labels: {}, startAt: window.from, stepMs: STEP, values };
        });
      },
    });
    const graph = (...edges: readonly (readonly [string, string])[]): TopologySource => ({
      name: "zipkin",
      topology: async () => ({ edges, external: [] }),
    });
    const apart = [
      ["web", "checkout"],
      ["web", "search"],
      ["web", "login"],
      ["search", "index"],
    ] as const;
    const slowAll = { checkout: 280, web: 290, search: 300, login: 290, index: 310 };

    it.each<[string, Readonly<Record<string, number>>, readonly TopologySource[], string, RegExp]>([
      [
        "what all share is discounted, and said",
        slowAll,
        [graph(...apart)],
        "recovered",
        /factor of 2.9 is discounted.*index, login, search/,
      ],
      [
        "the target alone stays slow",
        { ...slowAll, search: 100, login: 100, index: 100 },
        [graph(...apart)],
        "not-recovered",
        /280 ms, outside/,
      ],
      [
        "the target is slower than all others became",
        { ...slowAll, checkout: 900 },
        [graph(...apart)],
        "not-recovered",
        /outside its baseline/,
      ],
      [
        "one service that did not slow down tells that not all did",
        { ...slowAll, index: 100 },
        [graph(...apart)],
        "not-recovered",
        /280 ms, outside/,
      ],
      [
        "S9: all are slow and nobody knows who calls whom",
        slowAll,
        [],
        "unknown",
        /280 ms, outside.*; index, login, search and 1 more became slower by as much meanwhile, and nobody can tell/,
      ],
      ["S9: who knows it is down", slowAll, [{ name: "zipkin", topology: down }], "unknown", /nobody can tell/],
      [
        "S9: the graph knows the target, and not the others",
        slowAll,
        [graph(["web", "checkout"])],
        "unknown",
        /280 ms, outside.*; index, login, search became slower/,
      ],
      [
        "the target alone is slow, and nobody knows who calls whom",
        { ...slowAll, index: 100 },
        [],
        "not-recovered",
        /280 ms, outside/,
      ],
      [
        "one other alone may suffer with the target, where nobody knows who calls whom",
        { checkout: 280, search: 290 },
        [],
        "not-recovered",
        /280 ms, outside/,
      ],
      [
        "S9: one single other that it cannot reach is slow as well",
        { checkout: 280, index: 290 },
        [graph(["web", "checkout"], ["search", "index"])],
        "unknown",
        /280 ms, outside.*; index became slower/,
      ],
      [
        "those that call the target wait for it and tell nothing",
        slowAll,
        [graph(["web", "checkout"], ["search", "checkout"], ["login", "search"], ["index", "web"])],
        "not-recovered",
        /280 ms, outside/,
      ],
      [
        "those that it calls may suffer from it",
        slowAll,
        [graph(["checkout", "search"], ["checkout", "login"], ["login", "index"])],
        "not-recovered",
        /280 ms, outside/,
      ],
      [
        "and so may those that share what it calls",
        slowAll,
        [graph(["checkout", "db"], ["search", "db"], ["login", "db"], ["index", "db"])],
        "not-recovered",
        /280 ms, outside/,
      ],
    ])("%s", async (_name, now, topology, verdict, because) => {
      const recovery = await look({ metrics: [latencies(now)], topology }, [done()], MINUTE / 2, wrong);
      expect(recovery.verdict).toBe(verdict);
      expect(recovery.checks.find(({ metric }) => metric === "p99_latency")?.because).toMatch(because);
    });

    it("a service that was hurt in the incident tells nothing", async () => {
      const affectedServices = ["checkout", "search", "login", "index"];
      const sources = { metrics: [latencies(slowAll)], topology: [graph(...apart)] };
      expect((await look(sources, [done()], MINUTE / 2, { ...wrong, affectedServices })).verdict).toBe("not-recovered");
    });
  });
});
