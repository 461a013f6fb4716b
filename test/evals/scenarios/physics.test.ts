import { describe, expect, it } from "vitest";
import { createDraw } from "../../../evals/scenarios/draw.ts";
import { mixtureQuantile } from "../../../evals/scenarios/observe/quantiles.ts";
import { observe } from "../../../evals/scenarios/observe/series.ts";
import type { Scenario } from "../../../evals/scenarios/world/model.ts";
import { figure } from "../../../evals/scenarios/world/node.ts";
import { type Happenings, type Run, simulate } from "../../../evals/scenarios/world/simulate.ts";
import { exceeds } from "../../../evals/scenarios/world/slot.ts";
import { autoregression, drawWander, season } from "../../../evals/scenarios/world/wander.ts";
import { at, call, chain, deploy, fault, grid, scenario, service } from "./small-world.ts";

const CELL = (minutes: number) => minutes * 4;
const run = (world: Partial<Scenario>): Run => simulate(scenario(world) as Happenings, grid(100), null);
const errors = (of: Run, name: string, minutes: number) => {
  const course = of.courses.get(name);
  if (course === undefined) throw new Error(`no ${name}`);
  return figure(course, CELL(minutes), "errors");
};
const firstWorse = (of: Run, name: string) =>
  [...Array(of.grid.length).keys()].findIndex((cell) => errors(of, name, cell / 4) > errors(of, name, 0) + 0.02);

describe("failures", () => {
  const slowCalls = [call("web", "api", { lagSeconds: 30 }), call("api", "db", { lagSeconds: 15 })];

  it("reach callers after callees, each after its lag, and nobody else", () => {
    const world = run({ system: chain({ calls: slowCalls }), faults: [fault("db", 70, { errors: 0.4 })] });
    const [db, api, web] = ["db", "api", "web"].map((name) => firstWorse(world, name));
    expect(db).toBeGreaterThan(CELL(70));
    expect(api).toBe((db ?? 0) + 1);
    expect(web).toBe((api ?? 0) + 2);
    expect(firstWorse(world, "job")).toBe(-1);
  });

  it("do not flow from callers to callees", () => {
    const world = run({ faults: [fault("web", 70, { errors: 0.5 })] });
    expect(firstWorse(world, "api")).toBe(-1);
    expect(firstWorse(world, "db")).toBe(-1);
  });

  it("are absorbed by a fallback, saved in part by retries, and kept away by a queue", () => {
    const web = (more: Parameters<typeof call>[2]) =>
      errors(
        run({
          system: chain({ calls: [call("web", "api", more), call("api", "db")] }),
          faults: [fault("api", 70, { errors: 0.4 })],
        }),
        "web",
        90,
      );
    expect(web({})).toBeCloseTo(0.4, 1);
    expect(web({ fallback: 0.9 })).toBeLessThan(0.06);
    expect(web({ attempts: 3 })).toBeLessThan(web({}));
    expect(web({ queue: true })).toBeLessThan(0.002);
  });

  it("of a slow callee are timeouts of its caller, whose own latency stays below the limit", () => {
    const world = run({
      system: chain({ calls: [call("web", "api", { timeoutMs: 500 })] }),
      faults: [fault("api", 70, { addedMs: 2000 })],
    });
    expect(errors(world, "web", 90)).toBeGreaterThan(0.9);
    expect(errors(world, "api", 90)).toBeLessThan(0.01);
    const web = world.courses.get("web");
    expect(web === undefined ? 0 : figure(web, CELL(90), "p99")).toBeLessThan(1000);
  });

  it("of one version weigh by its share of the traffic", () => {
    const change = deploy("api", 70, { shares: [{ at: at(70), share: 0.25 }] });
    const world = run({
      changes: [change],
      faults: [fault("api", 0, { because: change.id, withVersion: true, errors: 0.4 })],
    });
    expect(errors(world, "api", 90)).toBeCloseTo(0.25 * 0.4, 2);
    expect(errors(world, "api", 60)).toBeLessThan(0.002);
  });

  it("stay with later versions until one mends them", () => {
    const [first, second, third] = [10, 40, 70].map((minutes, index) => ({
      ...deploy("api", minutes),
      id: `d${index}`,
      from: `v${index}`,
      to: `v${index + 1}`,
    }));
    if (first === undefined || second === undefined || third === undefined) throw new Error("three deploys");
    const world = run({
      changes: [first, second, third],
      faults: [fault("api", 0, { because: "d0", withVersion: true, errors: 0.3, fixedBy: "d2" })],
    });
    expect([5, 30, 60, 90].map((minutes) => errors(world, "api", minutes) > 0.2)).toEqual([false, true, true, false]);
  });
});

describe("load", () => {
  it("flows to callees by calls a request, retries on top", () => {
    const calls = [call("web", "api", { perRequest: 0.5, attempts: 3 }), call("api", "db", { perRequest: 2 })];
    const world = run({ system: chain({ calls }), faults: [fault("api", 70, { errors: 0.5 })] });
    const rate = (name: string, minutes: number) => world.courses.get(name)?.rate[CELL(minutes)] ?? 0;
    expect(rate("api", 60)).toBeCloseTo(50, 0);
    expect(rate("db", 60)).toBeCloseTo(100, 0);
    expect(rate("api", 90)).toBeCloseTo(50 * 1.75, 0);
  });

  it("beyond capacity is shed, and slows what is served", () => {
    const world = run({ faults: [fault("web", 70, { loadFactor: 5 })] });
    const db = world.courses.get("db");
    expect(errors(world, "db", 90)).toBeGreaterThan(0.2);
    expect((db?.newer.p99[CELL(90)] ?? 0) / (db?.newer.p99[CELL(60)] ?? 1)).toBeGreaterThan(3);
  });

  it("that a queue's reader cannot serve waits there and is worked through later", () => {
    const calls = [call("web", "api", { queue: true })];
    const world = run({
      system: chain({ calls }),
      faults: [{ ...fault("api", 70, { latencyFactor: 8 }), to: at(76) }],
    });
    const waiting = (minutes: number) => world.courses.get("api")?.backlog[CELL(minutes)] ?? 0;
    expect(waiting(60)).toBeLessThan(150);
    expect(waiting(76)).toBeGreaterThan(10_000);
    expect(waiting(99)).toBeLessThan(waiting(76) / 2);
  });

  it("comes again at the same hour, and less at the weekend", () => {
    const traffic = {
      ...chain().traffic,
      dailySwing: 0.5,
      weekend: 0.5,
      daily: { atHour: 12, minutes: 60, factor: 2 },
    };
    const wednesday = Date.UTC(2026, 2, 4, 12, 30);
    expect(season(traffic, wednesday)).toBeCloseTo(season(traffic, wednesday + 86_400_000), 9);
    expect(season(traffic, wednesday)).toBeGreaterThan(1.5 * season(traffic, wednesday + 2 * 3_600_000));
    expect(season(traffic, wednesday + 3 * 86_400_000)).toBeCloseTo(0.5 * season(traffic, wednesday), 9);
  });
});

describe("what is recorded of a healthy system", () => {
  const long = { start: at(0), stepMs: 15_000, length: 4000 };
  const recorded = (dispersion: number) => {
    const system = chain({
      services: [service("web", { tier: "entry", directRate: 20, expectedRate: 20, dispersion, baseError: 0.01 })],
      calls: [],
    });
    const wander = drawWander(createDraw("flat"), system, long);
    return observe(simulate({ system, changes: [], faults: [] }, long, wander), wander, createDraw("record"), {
      coarse: false,
      pods: false,
      missing: 0,
      gaps: [],
      lateStart: [],
    });
  };
  const values = (lines: ReturnType<typeof observe>, metric: string) =>
    lines.find((line) => line.metric === metric)?.values.map((value) => value ?? 0) ?? [];
  const mean = (all: readonly number[]) => all.reduce((sum, value) => sum + value, 0) / all.length;
  const variance = (all: readonly number[]) => mean(all.map((value) => (value - mean(all)) ** 2));

  it.each([1, 2, 4])("counts have variance %d times the mean", (dispersion) => {
    const counts = values(recorded(dispersion), "request_rate").map((rate) => Math.round(rate * 15));
    // The sampling error of a variance ratio over 4000 counts is about 2.2 % (sd √(2/n)); four of them.
    expect(variance(counts) / mean(counts) / dispersion).toBeCloseTo(1, 1);
    expect(mean(counts) / 300).toBeCloseTo(1, 1);
  });

  it("failures are as many as the base probability says", () => {
    expect(mean(values(recorded(1), "error_rate"))).toBeCloseTo(0.01, 3);
  });

  it("the requests of two versions sum to those of the service", () => {
    const change = deploy("web", 5, {
      shares: [
        { at: at(5), share: 0.3 },
        { at: at(15), share: 1 },
      ],
      finishedAt: at(15),
    });
    const system = chain({
      services: [service("web", { tier: "entry", directRate: 20, expectedRate: 20 })],
      calls: [],
    });
    const wander = drawWander(createDraw("flat"), system, long);
    const lines = observe(
      simulate({ system, changes: [change], faults: [] }, long, wander),
      wander,
      createDraw("record"),
      { coarse: false, pods: false, missing: 0, gaps: [], lateStart: [] },
    );
    const rates = lines.filter(({ metric }) => metric === "request_rate");
    const [whole, ...versions] = [
      rates.find(({ labels }) => labels === undefined),
      ...rates.filter(({ labels }) => labels !== undefined),
    ];
    expect(versions.map((line) => line?.labels?.version)).toEqual(["v1.1.0", "v1.2.0"]);
    const offset = ((versions[0]?.start ?? 0) - (whole?.start ?? 0)) / 15;
    for (const index of [0, 10, 30]) {
      const sum = versions.reduce((all, line) => all + (line?.values[index] ?? 0), 0);
      expect(sum).toBeCloseTo(whole?.values[offset + index] ?? 0, 2);
    }
  });
});

describe("slow wander", () => {
  it.each([30, 120, 600])("forgets with the declared time constant of %d s, at any step", (seconds) => {
    for (const stepMs of [15_000, 60_000]) {
      const values = [
        ...autoregression(createDraw(`ar/${seconds}`), { start: 0, stepMs, length: 40_000 }, 0.1, seconds),
      ];
      const variance = values.reduce((sum, value) => sum + value * value, 0) / values.length;
      const lagged =
        values.slice(1).reduce((sum, value, index) => sum + value * (values[index] ?? 0), 0) / values.length;
      expect(Math.sqrt(variance)).toBeCloseTo(0.1, 1);
      expect(Math.abs(lagged / variance - Math.exp(-stepMs / 1000 / seconds))).toBeLessThan(0.03);
    }
  });
});

describe("quantities", () => {
  it.each([
    ["the limit is the median", 100, 0.5],
    ["the limit is the 99th percentile", 400, 0.01],
  ])("a lognormal time exceeds a limit as often as it should where %s", (_, limit, share) => {
    expect(exceeds(limit, 100, 400)).toBeCloseTo(share, 3);
  });

  it("a mixture's 99th percentile lies between those of its parts, at the slow part's tail", () => {
    const parts = [
      { share: 0.95, median: 10, p99: 50 },
      { share: 0.05, median: 100, p99: 500 },
    ];
    const p99 = mixtureQuantile(parts, 0.99);
    expect(p99).toBeGreaterThan(50);
    expect(p99).toBeLessThan(500);
    const above = parts.reduce((sum, { share, median, p99: worst }) => sum + share * exceeds(p99, median, worst), 0);
    expect(above).toBeCloseTo(0.01, 4);
  });
});
