import { describe, expect, it } from "vitest";
import { createControls } from "../../../core/detection/control.ts";
import { createDetectionEngine } from "../../../core/detection/engine.ts";
import { outOfReachOf } from "../../../core/detection/reach.ts";
import { createGrid, put } from "../../../core/detection/sample-grid.ts";
import type { Change } from "../../../core/model/change.ts";
import type { Series } from "../../../core/model/signal.ts";
import { testConfig } from "../assessment/config.ts";
import { level, seriesOf, T0, traffic } from "./series.ts";

const STEP = 15_000;
const BEFORE = 240;
const AFTER = 40;
const config = testConfig();

/**
 * web calls cart, cart calls stock; admin calls stock as well; mail and bills have nothing to do with any of them, but that
 * the same gateway leads to all.
 */
const EDGES = [
  ["gateway", "web"],
  ["gateway", "admin"],
  ["gateway", "jobs"],
  ["web", "cart"],
  ["cart", "stock"],
  ["admin", "stock"],
  ["jobs", "mail"],
  ["jobs", "bills"],
] as const;

describe("what a change cannot reach", () => {
  it.each([
    ["cart", ["jobs", "mail", "bills"]],
    ["web", ["jobs", "mail", "bills"]],
    ["mail", ["web", "cart", "stock", "admin", "bills"]],
    ["a service that no edge names", []],
  ])("from %s: neither callers, nor callees, nor who else calls those", (service, apart) => {
    expect([...outOfReachOf(EDGES, service)].sort()).toEqual([...apart].sort());
  });

  it("is sought among what calls join to the service: another system beside it is no control group", () => {
    const other = [
      ["till", "ledger"],
      ["till", "printer"],
    ] as const;
    expect(outOfReachOf([...EDGES, ...other], "cart")).toEqual(outOfReachOf(EDGES, "cart"));
  });

  it("goes through circles once", () => {
    expect([...outOfReachOf([...EDGES, ["stock", "web"]], "cart")].sort()).toEqual(["bills", "jobs", "mail"]);
  });
});

const change: Change = {
  id: "deploy",
  kind: "deploy",
  service: "cart",
  from: "v1",
  to: "v2",
  startedAt: T0 + BEFORE * STEP,
  finishedAt: T0 + (BEFORE + 4) * STEP,
  source: "test",
  reversible: true,
};

/** Findings about cart after each step, where the call graph is known. */
function watched(series: readonly Series[], edges: readonly (readonly [string, string])[] = EDGES) {
  const engine = createDetectionEngine(config);
  engine.graph(edges);
  engine.changes([change]);
  return Array.from({ length: BEFORE + AFTER }, (_, i) => {
    const now = T0 + (i + 1) * STEP;
    engine.ingest(
      series.map((one) => ({ ...one, startAt: now, values: [one.values[i] ?? null] })),
      "statistics",
    );
    return engine.evaluate(now);
  });
}

const slower = (by: number) => (i: number) => (i < BEFORE ? 1 : by);
const latency = (service: string, by: number, seed: number) =>
  seriesOf("p99_latency", level(BEFORE + AFTER, slower(by), { seed }), { service });
const failing = (service: string, to: number, seed: number) =>
  traffic(BEFORE + AFTER, (i) => (i < BEFORE ? 0.004 : to), { service, seed });

const others = (by: number) => ["mail", "bills", "jobs"].map((service, i) => latency(service, by, 20 + i));
const last = (evaluations: ReturnType<typeof watched>) =>
  evaluations.at(-1)?.findings.find(({ service }) => service === "cart");

describe("a shift after a change, beside services that the change cannot reach", () => {
  it("is a regression where those stay as they were, and says what it was held against", () => {
    const seen = watched([latency("cart", 2, 1), ...others(1)]);
    expect(last(seen)).toMatchObject({ detector: "regression", verdict: "worse" });
    expect(last(seen)?.because).toMatch(/3 services that the change cannot reach are at (0\.9\d|1\.0\d) times/);
  });

  it("is found no later for being held against them", () => {
    const when = (seen: ReturnType<typeof watched>) =>
      seen.findIndex(({ findings }) => findings.some(({ detector }) => detector === "regression"));
    const series = [latency("cart", 2, 1), ...others(1)];
    expect(when(watched(series))).toBeLessThanOrEqual(when(watched(series, [])) + 1);
  });

  it("is no regression of the changed service where they shift as it does; that it is slow is still said", () => {
    const seen = watched([latency("cart", 2, 1), ...others(2)]);
    expect(last(seen)).toMatchObject({ detector: "change-point", verdict: "worse" });
    expect(last(seen)?.because).toMatch(
      /are at (1\.9\d|2\.0\d|2\.1\d) times what they were, beyond which nothing is sure/,
    );
    const named = seen.flatMap(({ findings }) => findings.filter(({ service }) => service === "cart"));
    expect(named.filter(({ detector }) => detector === "regression").length).toBeLessThanOrEqual(2);
  });

  it("fires no condition of a policy that asks for a regression while it is shared", () => {
    const stateOf = (by: number) => {
      const engine = createDetectionEngine(config);
      engine.graph(EDGES);
      engine.changes([change]);
      engine.ingest([latency("cart", 2, 1), ...others(by)], "statistics");
      const { conditions } = engine.evaluate(T0 + (BEFORE + AFTER) * STEP);
      return conditions.find(({ service, text }) => service === "cart" && text === "regression of p99_latency")?.state;
    };
    expect(stateOf(1)).toBe("firing");
    expect(stateOf(2)).not.toBe("firing");
  });

  it("is a regression where it shifts by much more than they do", () => {
    expect(last(watched([latency("cart", 5, 1), ...others(1.6)]))?.detector).toBe("regression");
  });

  it("is a regression where most of them stay as they were", () => {
    const series = [latency("cart", 2, 1), latency("mail", 2, 21), latency("bills", 1, 22), latency("jobs", 1, 23)];
    expect(last(watched(series))?.detector).toBe("regression");
  });

  it("of errors is held against their errors", () => {
    const apart = (to: number) => ["mail", "bills", "jobs"].flatMap((service, i) => failing(service, to, 20 + i));
    const of = (seen: ReturnType<typeof watched>) => last(seen)?.detector;
    expect(of(watched([...failing("cart", 0.1, 1), ...apart(0.004)]))).toBe("regression");
    expect(of(watched([...failing("cart", 0.1, 1), ...apart(0.1)]))).toBe("change-point");
  });

  it.each<[string, readonly (readonly [string, string])[], readonly Series[]]>([
    ["no call graph is known", [], others(2)],
    [
      "the change can reach them",
      [
        ["cart", "mail"],
        ["cart", "bills"],
        ["jobs", "cart"],
      ],
      others(2),
    ],
    ["there is only one of them", EDGES, others(2).slice(0, 1)],
  ])("stands as it is where %s", (_name, edges, beside) => {
    expect(last(watched([latency("cart", 2, 1), ...beside], edges))?.detector).toBe("regression");
    expect(last(watched([latency("cart", 2, 1), ...beside], edges))?.because).not.toContain("cannot reach");
  });

  it("is held against nothing where the signal has no past before the change", () => {
    const signalOf = ({ service, metric, worse, values }: Series) => {
      const grid = createGrid(T0, STEP);
      values.forEach((value, i) => {
        put(grid, T0 + (i + 1) * STEP, value, 1000);
      });
      return { service, metric, worse, grid };
    };
    const all = new Map(others(1).map((one) => [one.service, signalOf(one)]));
    const context = { whole: (service: string) => all.get(service), requestsOf: () => () => Number.NaN };
    const controls = createControls();
    controls.graph(EDGES);
    const cart = latency("cart", 2, 1);
    const from = (first: number) =>
      signalOf({ ...cart, values: cart.values.map((value, i) => (i < first ? null : value)) });
    expect(controls.judge(from(BEFORE - 4), change, change.startedAt, context)).toBeNull();
    expect(controls.judge(from(0), change, change.startedAt, context)).toMatchObject({ own: true, services: 3 });
  });

  it("is judged alike whether samples come one by one or at once", () => {
    for (const by of [1, 2]) {
      const series = [latency("cart", 2, 1), ...others(by)];
      const engine = createDetectionEngine(config);
      engine.graph(EDGES);
      engine.changes([change]);
      engine.ingest(series, "statistics");
      const atOnce = engine.evaluate(T0 + (BEFORE + AFTER) * STEP).findings.find(({ service }) => service === "cart");
      expect(atOnce).toEqual(last(watched(series)));
    }
  });
});
