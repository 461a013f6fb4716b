import { describe, expect, it } from "vitest";
import { createCallGraph } from "../../../core/correlation/call-graph.ts";
import type { Origin } from "../../../core/correlation/origin.ts";
import type { CaseEvidence } from "../../../core/correlation/rank.ts";
import { indexSeries } from "../../../core/correlation/samples.ts";
import { degradedBeneath } from "../../../core/decision/degraded-beneath.ts";
import type { Candidate, Reason } from "../../../core/model/candidate.ts";
import type { Series } from "../../../core/model/signal.ts";
import { change, emptyCase, MINUTE, onsetAt, T0 } from "../correlation/fixtures.ts";

const STEP = 15_000;
const deploy = change({ startedAt: T0 - STEP });
const row = (service: string, metric: string): Series => ({
  ...{ service, metric, unit: "", worse: "up", labels: {}, startAt: T0 + STEP, stepMs: STEP, values: [1, 1, 1, 1] },
});
const origin = (name: string, fit: number): Origin => ({
  ...{ name, kind: "service", fit, pattern: fit, told: 0, demand: 0, atConsumers: Number.NEGATIVE_INFINITY },
});

interface World {
  /** How well it fits that all began at the callee; that it began at cart: −3.1. */
  readonly beneath?: number;
  readonly counted?: boolean;
  readonly harm?: number;
  readonly callee?: string;
}

/** Cart was deployed and calls a store, of which percentiles are measured. */
function seen({ beneath = -1, counted = false, harm = 5, callee = "store" }: World): CaseEvidence {
  const topology = { edges: [["cart", callee] as const, ["stock", "store"] as const], external: [] };
  const series = [row("store", "p99_latency"), ...(counted ? [row("store", "request_rate")] : [])];
  return {
    caseFile: emptyCase({ at: T0 + 2 * MINUTE, series, topology }),
    index: indexSeries(series, "version"),
    graph: createCallGraph(topology),
    onset: onsetAt(T0),
    worse: new Map([["cart", new Set(["error_rate"])]]),
    harm: new Map([["store", harm]]),
    origins: [origin("cart", -3.1), origin("store", beneath)],
    signatures: [],
  } as unknown as CaseEvidence;
}
const accused = (...more: readonly Reason[]): Candidate => ({
  changeId: deploy.id,
  service: "cart",
  probability: 0.93,
  reasons: [
    { name: "timing", logOdds: 2.5, sentence: "onset 15s after the rollout started" },
    { name: "place", logOdds: -3.1, sentence: "its place" },
    ...more,
  ],
});
const grows: Reason = { name: "growth", logOdds: 1.4, sentence: "it grows as v1.1.0 takes over" };
const told: Reason = { name: "versions", logOdds: 5, sentence: "while both served, v1.1.0 alone failed" };

describe("a degraded callee whose requests nobody counts", () => {
  it("leaves a deploy of its caller to people where it fits three times as well", () =>
    expect(degradedBeneath(deploy, accused(), seen({}))).toBe(
      "store, which cart calls, is degraded itself, and nobody counts whether it is asked more",
    ));

  it.each<[string, World, readonly Reason[]]>([
    ["where its requests are counted: who floods it is told by that", { counted: true }, []],
    ["where it fits little better", { beneath: -2.5 }, []],
    ["where it is well", { harm: -2 }, []],
    ["where somebody else calls it", { callee: "other" }, []],
    ["where the harm grows with the rollout", {}, [grows]],
    ["where the new version is told from the old one", {}, [told]],
  ])("says nothing of it %s", (_, world, more) =>
    expect(degradedBeneath(deploy, accused(...more), seen(world))).toBeNull(),
  );
});
