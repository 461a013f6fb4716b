import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createCallGraph, mergedTopology } from "../../../core/correlation/call-graph.ts";
import { calleesKnown, stronger } from "../../../core/correlation/known-edges.ts";
import type { EdgeSource, KnownEdge, Topology } from "../../../core/model/evidence.ts";
import { seenConfidence } from "../../../core/model/seen-edge.ts";

const AT = Date.parse("2026-03-02T12:00:00Z");

const edge = (caller: string, callee: string, source: EdgeSource, replaced: Partial<KnownEdge> = {}): KnownEdge => ({
  caller,
  callee,
  source,
  confidence: source === "configured" ? 1 : 0.8,
  ...replaced,
});

const learned = (details: readonly KnownEdge[], replaced: Partial<Topology> = {}): Topology => ({
  edges: details.map(({ caller, callee }) => [caller, callee] as const),
  external: [],
  details,
  ...replaced,
});

const configured: Topology = {
  edges: [
    ["gateway", "cart"],
    ["cart", "db"],
    ["cart", "bank"],
  ],
  external: ["bank"],
};

describe("what is known of an edge", () => {
  it("an edge of which nothing more is said is configured", () => {
    const graph = createCallGraph(configured);
    expect(graph.edge("gateway", "cart")).toEqual(edge("gateway", "cart", "configured"));
    expect(graph.edge("cart", "gateway")).toBeNull();
    expect(createCallGraph(null).edge("gateway", "cart")).toBeNull();
  });

  it("one that several sources know is as sure as the surest, with the latest traffic of any", () => {
    const early = learned([edge("gateway", "cart", "mesh", { traffic: { perSecond: 9, at: AT - 1000 } })]);
    const late = learned([edge("gateway", "cart", "spans", { confidence: 0.9, traffic: { perSecond: 2, at: AT } })]);
    const address = learned([edge("gateway", "cart", "template", { confidence: 0.5 })]);
    const merged = createCallGraph(mergedTopology([early, late, address]));
    expect(merged.edge("gateway", "cart")).toEqual(
      edge("gateway", "cart", "spans", { confidence: 0.9, traffic: { perSecond: 2, at: AT } }),
    );
    const withPeople = createCallGraph(mergedTopology([early, configured, late]));
    expect(withPeople.edge("gateway", "cart")).toEqual(
      edge("gateway", "cart", "configured", { traffic: { perSecond: 2, at: AT } }),
    );
  });

  it("configured graphs merge to what they were before edges had sources", () => {
    expect(mergedTopology([configured])).toEqual(configured);
    expect(mergedTopology([])).toBeNull();
  });

  it("a node that one source takes for external is none where another sees it report, unless people say so", () => {
    const zipkin = learned([edge("cart", "stock", "spans"), edge("cart", "bank", "spans")], {
      external: ["stock", "bank"],
      reporting: ["cart"],
    });
    const mesh = learned([edge("stock", "db", "mesh")], { reporting: ["stock", "bank"] });
    expect(mergedTopology([zipkin, mesh])?.external).toEqual([]);
    expect(mergedTopology([zipkin, mesh, configured])?.external).toEqual(["bank"]);
    expect(mergedTopology([zipkin])?.external).toEqual(["stock", "bank"]);
  });

  const anyEdge: fc.Arbitrary<KnownEdge> = fc.record(
    {
      caller: fc.constantFrom("a", "b", "c"),
      callee: fc.constantFrom("a", "b", "c"),
      source: fc.constantFrom<EdgeSource>("configured", "mesh", "spans", "template"),
      confidence: fc.constantFrom(0.25, 0.5, 0.75, 1),
      traffic: fc.record({ perSecond: fc.constantFrom(1, 2), at: fc.constantFrom(AT, AT + 1) }),
    },
    { requiredKeys: ["caller", "callee", "source", "confidence"] },
  );

  it("the order in which sources are merged changes nothing", () => {
    const graphs = fc.array(fc.uniqueArray(anyEdge, { selector: (one) => `${one.caller} ${one.callee}` }), {
      maxLength: 4,
    });
    fc.assert(
      fc.property(graphs, (lists) => {
        const forward = createCallGraph(mergedTopology(lists.map((list) => learned(list))));
        const backward = createCallGraph(mergedTopology(lists.map((list) => learned(list)).reverse()));
        for (const [a, b] of lists.flat().map(({ caller, callee }) => [caller, callee] as const))
          expect(backward.edge(a, b)).toEqual(forward.edge(a, b));
      }),
    );
  });

  it("a merged edge is as sure as the surest report and has traffic where any has", () => {
    fc.assert(
      fc.property(anyEdge, anyEdge, (a, b) => {
        const both = stronger(a, b);
        expect(both.confidence).toBe(Math.max(a.confidence, b.confidence));
        expect(both.traffic === undefined).toBe(a.traffic === undefined && b.traffic === undefined);
      }),
    );
  });

  it("more requests make an edge surer, and none makes it certain", () => {
    expect(seenConfidence(1)).toBeCloseTo(2 / 3);
    expect(seenConfidence(100)).toBeGreaterThan(seenConfidence(10));
    expect(seenConfidence(1e6)).toBeLessThan(1);
  });
});

describe("a service's callees", () => {
  const template = learned([edge("cart", "stock", "template")]);
  it.each<readonly [string, Topology | null, string, boolean]>([
    ["are unknown where there is no graph", null, "cart", false],
    ["are unknown where no edge names it", configured, "search", false],
    ["are known where people's graph has edges out of it", configured, "gateway", true],
    ["are known to be none where people's graph has it as a leaf", configured, "db", true],
    ["are unknown for an external node", configured, "bank", false],
    ["are unknown where only its own pod template names some", template, "cart", false],
    ["are unknown where only another's pod template names it", template, "stock", false],
    [
      "are unknown for a leaf of people's graph whose pod template names a callee that the graph lacks",
      mergedTopology([configured, learned([edge("db", "backup", "template")])]),
      "db",
      false,
    ],
    [
      "are known for a leaf that reports, whatever its pod template names",
      mergedTopology([configured, learned([edge("db", "backup", "template")]), learned([], { reporting: ["db"] })]),
      "db",
      true,
    ],
    [
      "are known where it reports as a client",
      learned([edge("cart", "stock", "mesh")], { reporting: ["cart"] }),
      "cart",
      true,
    ],
    [
      "are known where it reports as a server",
      learned([edge("cart", "stock", "mesh")], { reporting: ["stock"] }),
      "stock",
      true,
    ],
    [
      "are unknown where only its callers report",
      learned([edge("cart", "stock", "mesh")], { reporting: ["cart"] }),
      "stock",
      false,
    ],
  ])("%s", (_, topology, service, known) => {
    expect(calleesKnown(topology, service)).toBe(known);
  });

  it("stay known or unknown whatever is known elsewhere", () => {
    const name = fc.constantFrom("x1", "x2", "x3");
    const elsewhere = fc.array(
      fc.tuple(name, name, fc.constantFrom<EdgeSource>("configured", "mesh", "spans", "template")),
      { maxLength: 6 },
    );
    fc.assert(
      fc.property(elsewhere, fc.uniqueArray(name), (edges, reporting) => {
        const other = learned(
          edges.map(([a, b, source]) => edge(a, b, source)),
          { reporting },
        );
        for (const here of [configured, template])
          for (const service of ["gateway", "cart", "db", "bank", "stock", "nobody"])
            expect(calleesKnown(mergedTopology([here, other]), service)).toBe(calleesKnown(here, service));
      }),
    );
  });
});
