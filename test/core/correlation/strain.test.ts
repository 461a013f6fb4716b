import { describe, expect, it } from "vitest";
import { createCallGraph } from "../../../core/correlation/call-graph.ts";
import { rankCandidates } from "../../../core/correlation/rank.ts";
import { indexSeries } from "../../../core/correlation/samples.ts";
import { strainFit, strainOf } from "../../../core/correlation/strain.ts";
import type { Finding } from "../../../core/model/finding.ts";
import type { Series } from "../../../core/model/signal.ts";
import { change, emptyCase, MINUTE, onsetAt, T0 } from "./fixtures.ts";

const STEP = 15_000;
const BEFORE = 140;
const jitter = [0, 1, -1, 0.5, -0.5, 0.8, -0.8, 0.2];

/** `before` up to T0 and `since` after it for five minutes, with a hundredth of a level as noise. */
function series(service: string, metric: string, before: number, since: number): Series {
  return {
    service,
    metric,
    unit: "",
    worse: metric === "request_rate" || metric === "cpu_usage" ? "either" : "up",
    labels: {},
    startAt: T0 - (BEFORE - 1) * STEP,
    stepMs: STEP,
    values: Array.from({ length: BEFORE + 20 }, (_, i) => {
      const level = i < BEFORE ? before : since;
      return level * (1 + 0.01 * (jitter[(i * 5 + service.length) % jitter.length] ?? 0));
    }),
  };
}

const graph = createCallGraph({
  edges: [
    ["web", "cart"],
    ["cart", "cart-db"],
    ["web", "search"],
  ],
  external: [],
});

describe("whose requests cost more processor time than before", () => {
  const rows: readonly (readonly [
    string,
    [number, number],
    [number, number] | null,
    "more" | "as before" | "unknown",
  ])[] = [
    ["twice the use at the same traffic", [0.3, 0.6], [100, 100], "more"],
    ["twice the use at twice the traffic", [0.3, 0.6], [100, 200], "as before"],
    ["the same use at half the traffic: what is spent at rest is shared by fewer", [0.3, 0.3], [100, 50], "as before"],
    ["a tenth more use at the same traffic", [0.3, 0.33], [100, 100], "as before"],
    ["twice the use of who knows how many requests", [0.3, 0.6], null, "unknown"],
  ];
  it.each(rows.map(([name, use, rate, told]) => ({ name, use, rate, told })))("$name: $told", ({ use, rate, told }) => {
    const others = [series("search", "cpu_usage", 0.2, 0.5), series("search", "request_rate", 50, 50)];
    const own = [
      series("cart", "cpu_usage", ...use),
      ...(rate === null ? [] : [series("cart", "request_rate", ...rate)]),
    ];
    const strain = strainOf(indexSeries([...own, ...others], "version"), [], onsetAt(T0), T0 + 5 * MINUTE);
    expect(strain?.nats.get("search")).toBeGreaterThan(3);
    const nats = strain?.nats.get("cart");
    if (told === "unknown") expect(nats).toBeUndefined();
    else expect((nats ?? 0) > 0 ? "more" : "as before").toBe(told);
  });

  it("says nothing where nobody's do", () => {
    const calm = [series("cart", "cpu_usage", 0.3, 0.3), series("cart", "request_rate", 100, 100)];
    expect(strainOf(indexSeries(calm, "version"), [], onsetAt(T0), T0 + 5 * MINUTE)).toBeNull();
  });
});

describe("where it may start when requests cost several services more", () => {
  const strain = (of: readonly string[], changing: readonly string[] = []) => ({
    nats: new Map(["web", "cart", "cart-db", "search"].map((service) => [service, of.includes(service) ? 6 : -4])),
    changing: new Set(changing),
  });
  it("at the one service whose requests do, rather than at its caller", () => {
    const only = strain(["cart"]);
    expect(strainFit(only, graph, "cart")).toBeGreaterThan(strainFit(only, graph, "web") + 0.5);
  });
  it("at a caller that may have asked its callee something dearer, rather than at a stranger to both", () => {
    const both = strain(["cart", "cart-db"]);
    expect(strainFit(both, graph, "cart")).toBeGreaterThan(strainFit(both, graph, "search") + 3);
  });
  it("a service that is being changed says less, since pods that start spend more", () => {
    const others = strain(["search"]);
    const changing = strain(["search"], ["search"]);
    expect(strainFit(changing, graph, "cart-db")).toBeGreaterThan(strainFit(others, graph, "cart-db") + 2);
  });
});

describe("a deploy minutes before answers got slow", () => {
  const services = ["web", "cart", "search", "mail", "stock"];
  const topology = {
    edges: [
      ["web", "cart"],
      ["web", "search"],
      ["web", "mail"],
      ["cart", "stock"],
    ] as [string, string][],
    external: [],
  };
  const deploy = change({ service: "cart", startedAt: T0 - 4 * MINUTE, finishedAt: T0 - 3 * MINUTE });
  const noChange = (strained: readonly string[], slow: readonly string[]): number => {
    const of = (service: string): Series[] => [
      series(service, "p99_latency", 100, slow.includes(service) ? 220 : 100),
      series(service, "error_rate", 0.002, 0.002),
      series(service, "request_rate", 80, 80),
      series(service, "cpu_usage", 0.3, strained.includes(service) ? 0.7 : 0.3),
    ];
    const findings = slow.map(
      (service): Finding => ({
        service,
        metric: "p99_latency",
        labels: {},
        detector: "regression",
        verdict: "worse",
        strength: 50,
        baseline: 100,
        current: 220,
        onset: onsetAt(T0, STEP),
        unit: "ms",
        detectedAt: T0 + MINUTE,
        because: "p99_latency is worse",
        samples: 20,
      }),
    );
    const caseFile = emptyCase({
      at: T0 + 4 * MINUTE,
      series: services.flatMap(of),
      findings,
      changes: [deploy],
      topology,
    });
    const options = { versionLabel: "version", windowMs: 30 * MINUTE };
    return rankCandidates(caseFile, [deploy], onsetAt(T0, STEP), new Set(slow), options).noChangeProbability;
  };
  it("is the likeliest cause where its own service alone spends more on each request", () => {
    expect(noChange(["cart"], ["cart", "web"])).toBeLessThan(0.3);
  });
  it("is not where services that it has no calls with began to spend more at the same moment", () => {
    expect(noChange(["cart", "search", "mail"], ["cart", "search", "mail", "web"])).toBeGreaterThan(0.9);
  });
});
