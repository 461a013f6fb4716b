import { describe, expect, it } from "vitest";
import { createCallGraph } from "../../../core/correlation/call-graph.ts";
import { fewerSeen } from "../../../core/correlation/fewer-seen.ts";
import { rankCandidates } from "../../../core/correlation/rank.ts";
import { indexSeries } from "../../../core/correlation/samples.ts";
import type { Topology } from "../../../core/model/evidence.ts";
import type { Finding } from "../../../core/model/finding.ts";
import type { Series } from "../../../core/model/signal.ts";
import { change, emptyCase, MINUTE, onsetAt, T0 } from "./fixtures.ts";

const STEP = 15_000;
const HOURS = 480;
const jitter = [0, 1, -1, 0.5, -0.5, 0.8, -0.8, 0.2];

/** Two hours at a level and five minutes at a multiple of it, with three hundredths as noise. */
function series(service: string, metric: string, level: number, factor: number): Series {
  return {
    service,
    metric,
    unit: "",
    worse: metric === "request_rate" ? "either" : metric === "p99_latency" ? "up" : "down",
    labels: {},
    startAt: T0 - (HOURS - 1) * STEP,
    stepMs: STEP,
    values: Array.from({ length: HOURS + 20 }, (_, i) => {
      const noise = 1 + 0.03 * (jitter[(i * 3 + service.length + metric.length) % jitter.length] ?? 0);
      return level * (i < HOURS ? 1 : factor) * noise;
    }),
  };
}

const topology: Topology = {
  edges: [
    ["shop", "cart"],
    ["shop", "stock"],
    ["mobile", "search"],
    ["partner", "labels"],
    ["cart", "cart-db"],
  ],
  external: [],
};
const orders: Finding = {
  detector: "regression",
  service: "shop",
  metric: "orders_per_minute",
  labels: {},
  unit: "",
  verdict: "worse",
  onset: onsetAt(T0, STEP),
  detectedAt: T0 + MINUTE,
  baseline: 300,
  current: 150,
  samples: 5,
  strength: 20,
  because: "orders_per_minute is worse",
};

interface Row {
  readonly orders: number;
  /** Requests of the shop, of what it calls, and of everybody else. */
  readonly requests: readonly [shop: number, called: number, others: number];
}
function allOf({ orders: factor, requests: [shop, called, others] }: Row): readonly Series[] {
  return [
    series("shop", "orders_per_minute", 300, factor),
    series("shop", "request_rate", 130, shop),
    ...["cart", "stock", "cart-db"].map((service) => series(service, "request_rate", 60, called)),
    ...["cart", "stock"].map((service) => series(service, "p99_latency", 80, 1)),
    ...["mobile", "search", "partner", "labels"].map((service) => series(service, "request_rate", 40, others)),
  ];
}

describe("fewer orders a minute", () => {
  const rows: readonly (readonly [string, Row, boolean])[] = [
    ["with half of everybody's requests say no more than that", { orders: 0.5, requests: [0.5, 0.5, 0.5] }, true],
    ["at as many requests are news", { orders: 0.5, requests: [1, 1, 1] }, false],
    [
      "with half of the requests of the shop and of those it calls are news",
      { orders: 0.5, requests: [0.5, 0.5, 1] },
      false,
    ],
    ["by more than everybody's requests are news", { orders: 0.2, requests: [0.5, 0.5, 0.5] }, false],
    ["with a tenth of everybody's requests less are news", { orders: 0.5, requests: [0.9, 0.9, 0.9] }, false],
  ];
  it.each(rows.map(([name, row, follows]) => ({ name, row, follows })))("$name", ({ row, follows }) => {
    const found = fewerSeen(indexSeries(allOf(row), "version"), createCallGraph(topology), [orders], T0 + 2 * MINUTE);
    expect(found !== null).toBe(follows);
    if (follows) expect(found?.sentence).toContain("shop sees 50 % fewer requests");
  });

  const deploy = change({ service: "shop", startedAt: T0 - 3 * MINUTE, finishedAt: T0 - 2 * MINUTE });
  const ranked = (row: Row) => {
    const caseFile = emptyCase({
      at: T0 + 2 * MINUTE,
      series: allOf(row),
      findings: [orders],
      changes: [deploy],
      topology,
    });
    const options = { versionLabel: "version", windowMs: 30 * MINUTE };
    return rankCandidates(caseFile, [deploy], onsetAt(T0, STEP), new Set(["shop"]), options);
  };
  it("are no deploy's fault where everybody sees fewer requests, and the answer says so", () => {
    const { noChangeProbability, noChangeReasons } = ranked({ orders: 0.5, requests: [0.5, 0.5, 0.5] });
    expect(noChangeProbability).toBeGreaterThan(0.8);
    expect(noChangeReasons.map(({ sentence }) => sentence).join("; ")).toContain("fewer pods are read");
  });
  it("are the deploy's where users come as ever", () => {
    expect(ranked({ orders: 0.5, requests: [1, 1, 1] }).noChangeProbability).toBeLessThan(0.3);
  });
});
