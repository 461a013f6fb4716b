import { describe, expect, it } from "vitest";
import { createCallGraph } from "../../../core/correlation/call-graph.ts";
import { ownExcess, ownNats } from "../../../core/correlation/own-excess.ts";
import { indexSeries } from "../../../core/correlation/samples.ts";
import type { Finding } from "../../../core/model/finding.ts";
import type { Series } from "../../../core/model/signal.ts";
import { MINUTE, onsetAt, T0 } from "./fixtures.ts";

const STEP = 15_000;
const level = (service: string, metric: string, before: number, after: number): Series => ({
  service,
  metric,
  unit: metric === "error_rate" ? "ratio" : "ms",
  worse: "up",
  labels: {},
  startAt: T0 - 119 * STEP,
  stepMs: STEP,
  values: [...Array.from({ length: 120 }, () => before), ...Array.from({ length: 20 }, () => after)],
});
const rate = (service: string, each: number) => level(service, "request_rate", each, each);
const finding = (service: string, metric: string): Finding => ({
  detector: "change-point",
  service,
  metric,
  labels: {},
  unit: "",
  verdict: "worse",
  onset: onsetAt(T0),
  detectedAt: T0 + MINUTE,
  baseline: 1,
  current: 2,
  samples: 4,
  strength: 20,
  because: "",
});
const judge = (series: readonly Series[], edges: readonly (readonly [string, string])[], ...metrics: string[]) => {
  const harm = new Map([...new Set(series.map(({ service }) => service))].map((service) => [service, 6]));
  const graph = createCallGraph({ edges, external: ["bank"] });
  const own = ownExcess(
    indexSeries(series, "version"),
    graph,
    harm,
    metrics.map((metric) => finding("web", metric)),
    onsetAt(T0),
    T0 + 20 * STEP,
  );
  return { own, nats: (name: string, flooded: string[] = []) => ownNats(own, graph, name, flooded) };
};

describe("the excess that is a service's own", () => {
  const calls = [
    ["web", "cart"],
    ["web", "search"],
    ["cart", "stock"],
  ] as const;

  it("is the callee's where a caller waits for what its callee takes longer", () => {
    const { own } = judge(
      [
        ...[rate("web", 10), rate("cart", 10), rate("stock", 20)],
        level("web", "p50_latency", 90, 130),
        level("cart", "p50_latency", 60, 100),
        level("stock", "p50_latency", 10, 30),
      ],
      calls,
      "p50_latency",
    );
    expect(own?.shares.get("stock")).toBeCloseTo(1, 1);
    expect(own?.shares.get("web")).toBeLessThan(0.01);
  });

  it("is the caller's where its callees account for little of it", () => {
    const { own } = judge(
      [
        ...[rate("web", 10), rate("cart", 10)],
        level("web", "p50_latency", 90, 190),
        level("cart", "p50_latency", 60, 70),
      ],
      calls,
      "p50_latency",
    );
    expect(own?.shares.get("web")).toBeCloseTo(0.9, 3);
  });

  it("goes to the sibling that accounts for more of it, by requests and not by how slow each is", () => {
    const { own, nats } = judge(
      [
        ...[rate("web", 10), rate("cart", 20), rate("search", 1)],
        level("web", "p50_latency", 90, 130),
        level("cart", "p50_latency", 10, 28),
        level("search", "p50_latency", 10, 80),
      ],
      calls,
      "p50_latency",
    );
    expect(own?.shares.get("cart")).toBeGreaterThan(0.8);
    expect(nats("cart")).toBeGreaterThan(nats("search") + 2);
  });

  it("does not count what a caller that is off does not pass on", () => {
    const { own } = judge(
      [
        ...[rate("web", 100), rate("cart", 10), rate("stock", 1000), rate("search", 100)],
        level("web", "p50_latency", 90, 130),
        level("cart", "p50_latency", 60, 61),
        level("stock", "p50_latency", 10, 60),
        level("search", "p50_latency", 10, 50),
      ],
      calls,
      "p50_latency",
    );
    expect(own?.shares.get("search")).toBeGreaterThan(0.9);
  });

  it("is a failing external's where only its caller shows it", () => {
    const { nats } = judge(
      [rate("web", 10), level("web", "error_rate", 0, 0.2), level("pay", "error_rate", 0, 0.3), rate("pay", 8)],
      [
        ["web", "pay"],
        ["pay", "bank"],
      ],
      "error_rate",
    );
    expect(nats("bank")).toBe(nats("pay"));
    expect(nats("web")).toBeLessThan(0);
  });

  it("is nobody's where there is no call graph, or where nothing is off", () => {
    expect(judge([level("web", "p50_latency", 90, 190)], [], "p50_latency").own).toBeNull();
    expect(judge([level("web", "p50_latency", 90, 90)], calls, "p50_latency").own).toBeNull();
  });

  describe("where a service fails and waits for what it calls", () => {
    /** Cart asks stock, web asks cart: milliseconds before and since of cart and stock, and what cart fails since. */
    const both = (cart: readonly [number, number], stock: readonly [number, number], fails = 0.1, below = 0) =>
      judge(
        [
          ...[rate("web", 10), rate("cart", 10), rate("stock", 10)],
          ...[level("web", "error_rate", 0, fails), level("cart", "error_rate", 0, fails)],
          level("stock", "error_rate", 0, below),
          ...[level("web", "p50_latency", 90, 90 + cart[1] - cart[0]), level("cart", "p50_latency", ...cart)],
          level("stock", "p50_latency", ...stock),
        ],
        calls,
        "error_rate",
        "p50_latency",
      ).nats;

    const rows: readonly (readonly [string, ReturnType<typeof both>, "either" | "cart" | "stock"])[] = [
      ["may have timed out where all of its long wait is its callee's", both([60, 360], [5, 305]), "either"],
      ["fails by itself where it waits as ever", both([60, 60], [5, 305]), "cart"],
      ["fails by itself where it waits little longer, as no time-out is that short", both([60, 66], [5, 11]), "cart"],
      ["fails by itself where most of its wait is its own", both([60, 360], [5, 15]), "cart"],
      ["fails because of its callee where that fails as well", both([60, 360], [5, 305], 0.1, 0.1), "stock"],
    ];
    it.each(rows)("it %s", (_, nats, whose) => {
      const ahead = nats("cart") - nats("stock");
      if (whose === "either") expect(Math.abs(ahead)).toBeLessThan(Math.log(3));
      else expect(whose === "cart" ? ahead : -ahead).toBeGreaterThan(Math.log(20));
    });
  });

  const failing = (names: readonly string[], origin: string) =>
    names.flatMap((service) => [
      level(service, "error_rate", 0.001, service === origin ? 0.3 : 0.2),
      rate(service, 50),
    ]);

  it("is found where more ways lead up the calls than can be walked", () => {
    const layers = Array.from({ length: 14 }, (_, layer) => Array.from({ length: 5 }, (_, i) => `s${layer}-${i}`));
    const all = layers
      .slice(1)
      .flatMap((below, i) => (layers[i] ?? []).flatMap((a) => below.map((b) => [a, b] as const)));
    const { nats } = judge(failing(layers.flat(), "s13-0"), all, "error_rate");
    expect(nats("s0-0")).toBeLessThan(nats("s13-0"));
  });

  it("is nobody's where all services call one another", () => {
    const names = Array.from({ length: 16 }, (_, i) => `s${i}`);
    const all = names.flatMap((a) => names.filter((b) => b !== a).map((b) => [a, b] as const));
    expect(judge(failing(names, "s3"), all, "error_rate").own).toBeNull();
  });
});
