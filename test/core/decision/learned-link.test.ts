import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createCallGraph } from "../../../core/correlation/call-graph.ts";
import { unmeasuredLink } from "../../../core/decision/learned-link.ts";
import type { EdgeSource, KnownEdge } from "../../../core/model/evidence.ts";

const ONSET = Date.parse("2026-03-02T12:00:00Z");
const HOUR = 3_600_000;

const edge = (caller: string, callee: string, source: EdgeSource, seenAt?: number): KnownEdge => ({
  caller,
  callee,
  source,
  confidence: 0.9,
  ...(seenAt === undefined ? {} : { traffic: { perSecond: 1, at: seenAt } }),
});

const ask = (edges: readonly KnownEdge[], degraded: readonly string[], culprit = "stock") =>
  unmeasuredLink({
    culprit,
    degraded: new Set(degraded),
    graph: createCallGraph({
      edges: edges.map(({ caller, callee }) => [caller, callee] as const),
      external: [],
      details: edges,
    }),
    onset: ONSET,
  });

describe("rolling back a change across learned edges", () => {
  it.each<readonly [string, readonly KnownEdge[], readonly string[], string | null]>([
    ["a culprit that is itself degraded needs no link", [edge("cart", "stock", "template")], ["cart", "stock"], null],
    ["a configured edge is a link", [edge("cart", "stock", "configured")], ["cart"], null],
    ["a mesh that measures traffic is a link", [edge("cart", "stock", "mesh", ONSET - 1000)], ["cart"], null],
    ["so are traces with traffic in the hour before", [edge("cart", "stock", "spans", ONSET - HOUR)], ["cart"], null],
    ["so is traffic measured after the onset", [edge("cart", "stock", "mesh", ONSET + 60_000)], ["cart"], null],
    [
      "an address in a pod template is none",
      [edge("cart", "stock", "template")],
      ["cart"],
      "stock is not itself degraded, and that cart calls stock is known from an address in its pod template alone: no measured traffic links it to what is",
    ],
    [
      "traffic of yesterday is none",
      [edge("cart", "stock", "spans", ONSET - 24 * HOUR)],
      ["cart"],
      "stock is not itself degraded, and that cart calls stock is known from traces alone, its last traffic 1d before the onset: no measured traffic links it to what is",
    ],
    [
      "each edge of the way counts",
      [edge("web", "cart", "mesh", ONSET), edge("cart", "stock", "template")],
      ["web"],
      "stock is not itself degraded, and that cart calls stock is known from an address in its pod template alone: no measured traffic links it to what is",
    ],
    [
      "all of those without traffic are named",
      [edge("web", "cart", "spans"), edge("cart", "stock", "template")],
      ["web"],
      "stock is not itself degraded, and that cart calls stock is known from an address in its pod template alone and that web calls cart is known from traces alone: no measured traffic links it to what is",
    ],
    [
      "one sound way is enough beside others",
      [edge("cart", "stock", "template"), edge("cart", "mid", "configured"), edge("mid", "stock", "mesh", ONSET)],
      ["cart"],
      null,
    ],
    [
      "one degraded service with a sound way is enough beside another without",
      [edge("cart", "stock", "mesh", ONSET), edge("web", "stock", "template")],
      ["cart", "web"],
      null,
    ],
    [
      "a degraded callee is linked as a degraded caller is",
      [edge("stock", "db", "template")],
      ["db"],
      "stock is not itself degraded, and that stock calls db is known from an address in its pod template alone: no measured traffic links it to what is",
    ],
    ["where nothing links them it is another's to say", [edge("web", "cart", "template")], ["cart"], null],
    ["where nothing is degraded there is nothing to link", [edge("web", "stock", "template")], [], null],
    [
      "two calls of a common callee are no way of a fault",
      [edge("web", "db", "template"), edge("stock", "db", "template")],
      ["web"],
      null,
    ],
  ])("%s", (_, edges, degraded, reason) => {
    expect(ask(edges, degraded)).toBe(reason);
  });

  const NAMES = ["a", "b", "c", "d", "e"] as const;
  const anyEdges = fc.uniqueArray(
    fc.record(
      {
        caller: fc.constantFrom(...NAMES),
        callee: fc.constantFrom(...NAMES),
        source: fc.constantFrom<EdgeSource>("configured", "mesh", "spans", "template"),
        confidence: fc.constant(0.9),
        traffic: fc.record({ perSecond: fc.constant(1), at: fc.constantFrom(ONSET, ONSET - 2 * HOUR) }),
      },
      { requiredKeys: ["caller", "callee", "source", "confidence"] },
    ),
    { selector: ({ caller, callee }) => `${caller} ${callee}` },
  );
  const world = [anyEdges, fc.subarray([...NAMES])] as const;

  it("measured traffic on every edge frees it, and so does a graph that people configured", () => {
    fc.assert(
      fc.property(...world, (edges, degraded) => {
        const measured = edges.map((one) => ({ ...one, traffic: { perSecond: 1, at: ONSET } }));
        expect(ask(measured, degraded, "a")).toBeNull();
        expect(
          ask(
            edges.map((one) => ({ ...one, source: "configured" as const })),
            degraded,
            "a",
          ),
        ).toBeNull();
      }),
    );
  });

  it("one more measured edge never turns an act into a question, nor does one more degraded service that is linked soundly", () => {
    fc.assert(
      fc.property(...world, fc.constantFrom(...NAMES), fc.constantFrom(...NAMES), (edges, degraded, from, to) => {
        const isLinked = (given: readonly KnownEdge[]) =>
          degraded.some((one) => one === "a" || reaches(given, one, "a") || reaches(given, "a", one));
        const more = [
          ...edges.filter((one) => one.caller !== from || one.callee !== to),
          edge(from, to, "mesh", ONSET),
        ];
        fc.pre(isLinked(edges) || !isLinked(more));
        if (ask(edges, degraded, "a") === null) expect(ask(more, degraded, "a")).toBeNull();
      }),
    );
  });
});

/** Whether calls lead from one to the other, whatever the edges are. */
function reaches(edges: readonly KnownEdge[], from: string, to: string): boolean {
  const graph = createCallGraph({ edges: edges.map(({ caller, callee }) => [caller, callee] as const), external: [] });
  return graph.ancestors(to).has(from);
}
