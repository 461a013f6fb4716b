import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createDraw } from "../../../evals/scenarios/draw.ts";
import { HELD_OUT_B } from "../../../evals/scenarios/families/held-out-b/index.ts";
import { families, tell } from "../../../evals/scenarios/generate.ts";
import { observe } from "../../../evals/scenarios/observe/series.ts";
import { type Run, simulate } from "../../../evals/scenarios/world/simulate.ts";
import { drawWander } from "../../../evals/scenarios/world/wander.ts";
import { at, call, chain, courseOf, deploy, fault, grid, run, service, value } from "./small-world.ts";
import { expectItsWorldToBearItOut, expectOnlyTheGuiltyToMendIt } from "./story-checks.ts";

const FOLDER = join(import.meta.dirname, "../../../evals/scenarios/families/held-out-b");
const NAMES = families("held-out-b");

describe("the second set of families that are held out", () => {
  it("are all the files of their folder, and in no other set", () => {
    const files = readdirSync(FOLDER).filter((name) => name !== "index.ts");
    expect(NAMES.map((name) => `${name}.ts`)).toEqual(files.sort());
    expect([...families("shown"), ...families("held-out")].filter((name) => NAMES.includes(name))).toEqual([]);
  });

  it("are guilty and innocent in about equal parts", () => {
    const guilty = HELD_OUT_B.filter(({ faulty }) => faulty).length;
    expect(guilty / HELD_OUT_B.length).toBeGreaterThan(0.4);
    expect(guilty / HELD_OUT_B.length).toBeLessThan(0.6);
  });

  // Numbered, not named, in what a run prints: who works on the detectors runs these tests too.
  it.each(NAMES.map((name, index) => [index + 1, name] as const))(
    "number %i has a truth that its world bears out",
    (_, name) => {
      const told = tell(name, 1);
      expectItsWorldToBearItOut(name, told);
      expectOnlyTheGuiltyToMendIt(told);
    },
  );

  it("call for each kind of action, for two changes together, and for a person", () => {
    const told = NAMES.map((name) => tell(name, 2).truth);
    expect(new Set(told.map(({ action }) => action))).toEqual(
      new Set(["rollback", "feature_flag_disable", "hotfix_recommendation", "no_action"]),
    );
    expect(told.filter(({ targets }) => targets.length === 2).length).toBe(2);
    expect(told.filter(({ approval }) => approval === "person").length).toBe(2);
  });
});

const rateOf = (of: Run, name: string, minutes = 90) => courseOf(of, name).rate[minutes * 4] ?? 0;

describe("an allowance that all pods share", () => {
  const rolledOut = (share: number) => {
    const change = deploy("api", 70, { shares: [{ at: at(70), share }] });
    return run({
      changes: [change],
      faults: [fault("api", 0, { because: change.id, withVersion: true, quota: 40 })],
    });
  };

  it("is enough for the first pods of a version, and refuses what is beyond it when more of them draw on it", () => {
    expect(courseOf(rolledOut(0.25), "api").newer.errors[360]).toBeLessThan(0.01);
    expect(courseOf(rolledOut(0.8), "api").newer.errors[360]).toBeCloseTo(0.5, 1);
    expect(courseOf(rolledOut(0.8), "api").older.errors[360]).toBeLessThan(0.01);
  });

  it("takes neither processor nor time", () => {
    const [before, after] = [60, 90].map((minutes) => value(rolledOut(0.8), "api", minutes, "p99"));
    expect(after).toBeCloseTo(before ?? 0, 6);
  });
});

describe("requests that are turned away at the door", () => {
  const world = run({ faults: [fault("web", 70, { turnedAway: 0.2 })] });

  it("fail there, and nothing behind it is asked for them", () => {
    expect(value(world, "web", 90, "errors")).toBeCloseTo(0.2, 1);
    expect(rateOf(world, "web")).toBeCloseTo(100, 6);
    expect(rateOf(world, "api")).toBeCloseTo(80, 0);
    expect(value(world, "api", 90, "errors")).toBeLessThan(0.01);
  });
});

describe("a caller whose requests are rejected", () => {
  const system = chain({ calls: [call("web", "api"), call("job", "api")] });
  const world = run({ system, faults: [fault("api", 70, { rejects: { caller: "job", share: 0.9 } })] });

  it("fails by that share, while the other callers of the same service are served", () => {
    expect(value(world, "job", 90, "errors")).toBeCloseTo(0.9, 1);
    expect(value(world, "web", 90, "errors")).toBeLessThan(0.01);
  });

  it("shows at the callee as its share of the traffic", () => {
    expect(value(world, "api", 90, "errors")).toBeCloseTo((0.9 * 20) / 120, 2);
  });
});

describe("a reader that takes fewer messages than are sent", () => {
  const system = chain({ calls: [call("web", "api", { queue: true })] });
  const of = (queueLimit: number | undefined) =>
    run({
      system,
      faults: [fault("api", 60, { takesAtMost: 60, ...(queueLimit === undefined ? {} : { queueLimit }) })],
    });

  it("is idle while what waits grows", () => {
    const world = of(undefined);
    expect(rateOf(world, "api")).toBeCloseTo(60, 6);
    expect(courseOf(world, "api").backlog[360]).toBeCloseTo(40 * 30 * 60, -3);
    expect(courseOf(world, "api").load[360]).toBeLessThan(courseOf(world, "api").load[200] ?? 0);
    expect(value(world, "web", 90, "errors")).toBeLessThan(0.01);
  });

  it("makes its writers fail once the queue is full, and not before", () => {
    const world = of(24_000);
    expect(value(world, "web", 69, "errors")).toBeLessThan(0.01);
    expect(value(world, "web", 72, "errors")).toBeCloseTo(0.4, 1);
    expect(courseOf(world, "api").backlog[360]).toBe(24_000);
  });
});

describe("pods that the monitoring does not read", () => {
  const system = chain({ services: [service("web", { tier: "entry", directRate: 400 })], calls: [] });
  const span = grid(40);
  const wander = drawWander(createDraw("unread"), system, span);
  const seen = (metric: string) =>
    observe(simulate({ system, changes: [], faults: [] }, span, wander), wander, createDraw("seen"), {
      coarse: false,
      pods: false,
      missing: 0,
      gaps: [],
      lateStart: [],
      unread: [{ service: "web", share: 0.5, from: at(20), to: at(30) }],
    }).find((line) => line.metric === metric)?.values ?? [];
  const mean = (values: readonly (number | null)[], from: number, to: number) =>
    values.slice(from * 4, to * 4).reduce<number>((sum, one) => sum + (one ?? 0), 0) / ((to - from) * 4);

  it("are missing from sums while they are not read, and from nothing else", () => {
    const [rate, busy] = [seen("request_rate"), seen("cpu_usage")];
    expect(mean(rate, 21, 29) / mean(rate, 5, 19)).toBeCloseTo(0.5, 1);
    expect(mean(rate, 32, 39) / mean(rate, 5, 19)).toBeCloseTo(1, 1);
    expect(mean(busy, 21, 29) / mean(busy, 5, 19)).toBeCloseTo(1, 1);
  });
});
