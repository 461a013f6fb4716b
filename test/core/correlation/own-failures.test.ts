import { describe, expect, it } from "vitest";
import { createCallGraph } from "../../../core/correlation/call-graph.ts";
import { ownFailures } from "../../../core/correlation/own-failures.ts";
import { indexSeries } from "../../../core/correlation/samples.ts";
import type { Series } from "../../../core/model/signal.ts";
import { onsetAt, T0 } from "./fixtures.ts";

const STEP = 15_000;
const BEFORE = 100;
const RATE = 60;
const graph = createCallGraph({ edges: [["cart", "stock"]], external: [] });

/** Uniform numbers of a linear congruential generator (Numerical Recipes), from a seed. */
function uniforms(seed: number): () => number {
  let state = (seed * 2_654_435_761) >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
const count = (next: () => number, n: number, p: number): number =>
  Array.from({ length: n }, () => Number(next() < p)).reduce((sum, one) => sum + one, 0);

interface World {
  /** The share of its requests that the callee fails, sample by sample since the onset. */
  readonly callee: readonly number[];
  /** Calls for each request of the caller, how often a failed one is tried again, and what the caller fails itself. */
  readonly calls?: number;
  readonly tries?: number;
  readonly own?: number;
  /** What it failed before as well. */
  readonly usual?: number;
  readonly seed?: number;
}
function told({ callee, calls = 1, tries = 0, own = 0, usual = 0, seed = 1 }: World) {
  const next = uniforms(seed);
  const series = (service: string, metric: string, values: readonly number[]): Series => ({
    service,
    metric,
    unit: "",
    worse: "up",
    labels: {},
    startAt: T0 - (BEFORE - 1) * STEP,
    stepMs: STEP,
    values: [
      ...Array.from({ length: BEFORE }, () => (metric === "request_rate" ? RATE : service === "cart" ? usual : 0)),
      ...values,
    ],
  });
  const n = (RATE * STEP) / 1000;
  const seen = (p: number) => count(next, n, p) / n;
  const passedOn = (x: number) => 1 - (1 - x ** (tries + 1)) ** calls;
  const rates = callee.map(() => RATE);
  const index = indexSeries(
    [
      series("stock", "request_rate", rates),
      series("cart", "request_rate", rates),
      series("stock", "error_rate", callee.map(seen)),
      series(
        "cart",
        "error_rate",
        callee.map((x) => seen(1 - (1 - passedOn(x)) * (1 - own) * (1 - usual))),
      ),
    ],
    "version",
  );
  return ownFailures(index, graph, new Map([["stock", 6]]), "cart", onsetAt(T0, 0, 0), T0 + callee.length * STEP);
}
const rollout = [0.1, 0.1, 0.2, 0.3, 0.3, 0.4, 0.5, 0.5];

describe("what a service fails beside what its callee fails", () => {
  const rows: readonly (readonly [string, World, "own" | "passed on"])[] = [
    ["is nothing where it fails as its callee does", { callee: rollout }, "passed on"],
    ["is nothing where it asks three times for each request", { callee: rollout, calls: 3 }, "passed on"],
    ["is nothing where it needs an answer for every second request", { callee: rollout, calls: 0.5 }, "passed on"],
    ["is nothing where it tries again", { callee: rollout, tries: 1 }, "passed on"],
    ["is nothing where it fails a little of its own at all times", { callee: rollout, usual: 0.04 }, "passed on"],
    ["is nothing where a twentieth of it is left over", { callee: rollout, own: 0.01 }, "passed on"],
    ["is what it fails by itself", { callee: rollout, own: 0.2 }, "own"],
    ["is so also where it asks three times", { callee: rollout, calls: 3, own: 0.3 }, "own"],
  ];
  it.each(rows)("%s", (_, world, whose) => {
    const found = told(world);
    expect(found?.told).toBe(true);
    if (whose === "own") {
      expect(found?.nats).toBeGreaterThan(4);
      expect(Math.abs((found?.share ?? 0) - (world.own ?? 0))).toBeLessThan(0.08);
    } else expect(found?.nats).toBeLessThan(0);
  });

  it("cannot be determined while the callee fails the same all along", () => {
    expect(told({ callee: rollout.map(() => 0.3), own: 0.2 })?.told).toBe(false);
  });

  it("cannot be determined, one time in fifty at most, where the callee's ups and downs are chance", () => {
    const trials = Array.from({ length: 100 }, (_, i) =>
      told({ callee: Array.from({ length: 8 }, () => 0.3), seed: i }),
    );
    expect(trials.filter((one) => one?.told === true).length).toBeLessThanOrEqual(2);
  });

  it("is told also long after the rollout is over", () => {
    const long = [...rollout, ...Array.from({ length: 200 }, () => 0.5)];
    expect(told({ callee: long, own: 0.2 })).toMatchObject({ told: true });
    expect(told({ callee: long, own: 0.2 })?.nats).toBeGreaterThan(4);
  });

  it("cannot be determined from three samples", () => {
    expect(told({ callee: rollout.slice(0, 3), own: 0.2 })).toEqual({ nats: 0, share: 0, told: false });
  });

  it("is not asked where no callee is hurt", () => {
    const index = indexSeries([], "version");
    expect(ownFailures(index, graph, new Map([["stock", -2]]), "cart", onsetAt(T0), T0 + STEP)).toBeNull();
  });

  it("is seldom found where there is none, whatever the calls and tries", () => {
    const trials = Array.from({ length: 300 }, (_, i) => {
      const next = uniforms(1000 + i);
      const most = 0.2 + 0.5 * next();
      const callee = Array.from({ length: 6 + Math.floor(8 * next()) }, (_, j) => Math.min(most, (most * (j + 1)) / 8));
      return told({ callee, calls: 0.3 + 3 * next(), tries: next() < 0.3 ? 1 : 0, seed: i });
    });
    const sure = trials.filter((one) => one?.told === true && one.nats > 3).length;
    expect(sure).toBeLessThanOrEqual(6); // one in fifty
    expect(trials.filter((one) => one?.told === true).length).toBeGreaterThan(100);
  });
});
