import { describe, expect, it } from "vitest";
import { changeMaker, number } from "../../../evals/scenarios/background.ts";
import { createDraw } from "../../../evals/scenarios/draw.ts";
import { observe } from "../../../evals/scenarios/observe/series.ts";
import { activityAt, scaled } from "../../../evals/scenarios/world/faults.ts";
import { type Run, simulate } from "../../../evals/scenarios/world/simulate.ts";
import { exceeds } from "../../../evals/scenarios/world/slot.ts";
import { deriveTruth } from "../../../evals/scenarios/world/truth.ts";
import { drawWander } from "../../../evals/scenarios/world/wander.ts";
import { at, call, chain, courseOf, deploy, fault, grid, run, scenario, service, value } from "./small-world.ts";

describe("a stall", () => {
  const world = run({ faults: [fault("api", 70, { stall: { share: 0.05, ms: 5000 } })] });

  it("lengthens the slowest requests by as much as it holds them up, and hardly the usual one", () => {
    expect(value(world, "api", 90, "p99")).toBeGreaterThan(5000);
    expect(value(world, "api", 90, "p99")).toBeLessThan(5400);
    expect(value(world, "api", 90, "median") / value(world, "api", 60, "median")).toBeLessThan(1.1);
  });

  it("of less than the slowest percent leaves the 99th percentile near where it was", () => {
    const rare = run({ faults: [fault("api", 70, { stall: { share: 0.002, ms: 5000 } })] });
    expect(value(rare, "api", 90, "p99") / value(rare, "api", 60, "p99")).toBeLessThan(1.2);
  });

  it("longer than the caller's timeout fails that share of its calls, a shorter one none", () => {
    const failing = (timeoutMs: number) =>
      value(
        run({
          system: chain({ calls: [call("web", "api", { timeoutMs })] }),
          faults: [fault("api", 70, { stall: { share: 0.05, ms: 5000 } })],
        }),
        "web",
        90,
        "errors",
      );
    expect(failing(2000)).toBeCloseTo(0.05, 1);
    expect(failing(30_000)).toBeLessThan(0.015);
  });
});

describe("a pool", () => {
  it("that is large enough changes nothing; near its size requests wait; beyond it they fail, and the processor idles", () => {
    const of = (ceiling: number) => run({ faults: [fault("api", 70, { ceiling })] });
    const [wide, tight, small] = [of(400), of(115), of(80)];
    expect(value(wide, "api", 90, "p99")).toBeCloseTo(value(wide, "api", 60, "p99"), 9);
    expect(value(tight, "api", 90, "p99")).toBeGreaterThan(1.5 * value(tight, "api", 60, "p99"));
    expect(value(tight, "api", 90, "errors")).toBeLessThan(0.01);
    expect(value(small, "api", 90, "errors")).toBeGreaterThan(0.15);
    expect(courseOf(small, "api").load[360]).toBeCloseTo(courseOf(small, "api").load[240] ?? 0, 6);
  });

  it("of one version limits that version's requests alone", () => {
    const change = deploy("api", 70, { shares: [{ at: at(70), share: 0.25 }] });
    const world = run({
      changes: [change],
      faults: [fault("api", 0, { because: change.id, withVersion: true, ceiling: 80 })],
    });
    const { newer, older } = courseOf(world, "api");
    expect(newer.errors[360]).toBeGreaterThan(0.15);
    expect(older.errors[360]).toBeLessThan(0.01);
  });
});

describe("a timeout that was pushed", () => {
  const calling = (timeoutMs: number, attempts: number) =>
    run({
      system: chain({ calls: [call("web", "api"), call("api", "db", { perRequest: 0.1 })] }),
      faults: [fault("web", 70, { calling: { callee: "api", timeoutMs, attempts } })],
    });

  it("below the callee's usual time makes the caller fail and the callee's traffic grow with the attempts", () => {
    const [none, one, four] = [calling(5000, 4), calling(25, 1), calling(25, 4)];
    const rate = (of: Run) => courseOf(of, "api").rate[360] ?? 0;
    expect(rate(none)).toBeCloseTo(100, 0);
    expect(rate(one)).toBeCloseTo(100, 0);
    expect(rate(four)).toBeGreaterThan(130);
    expect(rate(four)).toBeLessThan(400);
    expect(value(none, "web", 90, "errors")).toBeLessThan(0.01);
    expect(value(four, "web", 90, "errors")).toBeGreaterThan(0.1);
  });
});

describe("calls that are refused on their way", () => {
  const world = run({ faults: [fault("api", 70, { refused: 0.9 })] });

  it("fail at the caller, and reach neither the callee nor what it calls", () => {
    expect(value(world, "web", 90, "errors")).toBeGreaterThan(0.88);
    expect(value(world, "api", 90, "errors")).toBeLessThan(0.01);
    for (const name of ["api", "db"]) expect(courseOf(world, name).rate[360]).toBeCloseTo(10, 0);
  });
});

describe("connections that are left open", () => {
  it("stand in the store's own count, and stay when no more are leaked", () => {
    const system = chain({
      services: [
        service("web", { tier: "entry", directRate: 20, expectedRate: 20 }),
        service("orders-db", { tier: "store", ownMedianMs: 2 }),
      ],
      calls: [call("web", "orders-db")],
    });
    const span = grid(60);
    const leak = { ...fault("orders-db", 10, { leftOpenPerHour: 600 }), to: at(40) };
    const wander = drawWander(createDraw("leak"), system, span);
    const lines = observe(simulate({ system, changes: [], faults: [leak] }, span, wander), wander, createDraw("seen"), {
      coarse: false,
      pods: false,
      missing: 0,
      gaps: [],
      lateStart: [],
    });
    const open = lines.find(({ metric }) => metric === "open_connections")?.values ?? [];
    const [before, during, after] = [5, 25, 55].map((minutes) => open[minutes * 4] ?? 0);
    expect((during ?? 0) - (before ?? 0)).toBeCloseTo(150, -1);
    expect((after ?? 0) - (before ?? 0)).toBeCloseTo(300, -1);
  });
});

describe("an effect that comes in steps", () => {
  const steps = [
    { at: at(70), share: 0.1 },
    { at: at(80), share: 1 },
  ];

  it("is as strong as the step that has been reached", () => {
    const ramp = fault("api", 60, { errors: 0.4, steps });
    expect([65, 75, 85].map((minutes) => activityAt(ramp, at(minutes)))).toEqual([0, 0.1, 1]);
    const world = run({ faults: [ramp] });
    expect(value(world, "api", 75, "errors")).toBeCloseTo(0.041, 2);
    expect(value(world, "api", 90, "errors")).toBeCloseTo(0.401, 2);
  });
});

describe("a latent fault", () => {
  const change = deploy("api", 5);
  const small = fault("api", 0, {
    because: change.id,
    withVersion: true,
    from: change.startedAt,
    ceiling: 180,
    latent: true,
  });

  it("begins when it first hurts, not when its version began to serve", () => {
    const more = { ...fault("web", 75, { loadFactor: 2 }), loadFactor: 2 };
    const truth = deriveTruth(scenario({ changes: [change], faults: [small, more] }));
    expect(truth.culprit).toBe(change.id);
    expect(Math.abs((truth.onset ?? 0) - at(75))).toBeLessThanOrEqual(60_000);
  });

  it("that never hurts is nobody's fault", () => {
    expect(deriveTruth(scenario({ changes: [change], faults: [small] })).faulty).toBe(false);
  });
});

describe("a stronger effect", () => {
  it("holds up more requests, has a smaller pool, a shorter timeout", () => {
    const all = fault("api", 70, {
      stall: { share: 0.02, ms: 300 },
      ceiling: 100,
      calling: { callee: "db", timeoutMs: 100, attempts: 3 },
    });
    expect(scaled(all, 2)).toMatchObject({
      stall: { share: 0.04, ms: 300 },
      ceiling: 50,
      calling: { timeoutMs: 50, attempts: 3 },
    });
    expect(exceeds(50, 20, 80)).toBeGreaterThan(exceeds(100, 20, 80));
  });
});

describe("a deploy that brings an older version back", () => {
  it("names the version that served before, and the next one goes on from there with a new name", () => {
    const system = chain();
    const [api] = system.services.filter(({ name }) => name === "api");
    if (api === undefined) throw new Error("no api");
    const maker = changeMaker(createDraw("back"));
    const bad = maker.make("deploy", api, at(10));
    const back = maker.make("deploy", api, at(30), { undoes: bad.id });
    const next = maker.make("deploy", api, at(50));
    const named = number([bad, back, next], system).map(({ from, to }) => `${from}→${to}`);
    expect(named).toEqual(["v1.1.0→v1.2.0", "v1.2.0→v1.1.0", "v1.1.0→v1.3.0"]);
  });

  it("and a flag that goes off names the flag that was on", () => {
    const [web] = chain().services;
    if (web === undefined) throw new Error("no web");
    const maker = changeMaker(createDraw("off"));
    const on = maker.make("flag", web, at(10));
    const off = maker.make("flag", web, at(20), { off: on.flag ?? "" });
    expect([off.from, off.to, off.flag]).toEqual(["on", "off", on.flag]);
  });
});
