import { describe, expect, it } from "vitest";
import { coverageWords, graphCoverage } from "../../../core/correlation/graph-coverage.ts";
import type { EdgeSource, KnownEdge, Topology } from "../../../core/model/evidence.ts";

const edge = (caller: string, callee: string, source: EdgeSource, perSecond?: number): KnownEdge => ({
  caller,
  callee,
  source,
  confidence: 0.9,
  ...(perSecond === undefined ? {} : { traffic: { perSecond, at: 1000 } }),
});
const details = [
  edge("web", "cart", "mesh", 3),
  edge("cart", "db", "configured"),
  edge("cart", "stock", "template"),
  edge("stock", "bank", "template"),
];
const mixed: Topology = {
  edges: details.map(({ caller, callee }) => [caller, callee] as const),
  external: ["bank"],
  details,
  reporting: ["web"],
};

describe("what a call graph is made of", () => {
  it("is counted by source, with what it leaves open", () => {
    expect(graphCoverage(mixed, ["web", "cart", "db", "stock", "mail", "mail", "bank"])).toEqual({
      edges: { configured: 1, mesh: 1, spans: 0, template: 2 },
      measured: 1,
      services: 5,
      withoutEdges: ["mail"],
      calleesUnknown: ["mail", "stock"],
    });
  });

  it("is told in sentences, with what the gaps cost", () => {
    expect(coverageWords(graphCoverage(mixed, ["web", "cart", "db", "stock", "mail"]))).toEqual([
      "4 edges: 1 configured, 1 from mesh metrics, 2 from pod templates; traffic is measured over 1",
      "over a learned edge without measured traffic nothing is rolled back automatically",
      "1 of 5 services without any edge: mail",
      "2 of 5 services have no known callees (mail, stock): for those a deploy's timing alone never leads to an automatic rollback; configure topology, Zipkin or mesh metrics",
    ]);
  });

  it("without a graph every service is open, of which a person is shown ten", () => {
    const services = Array.from({ length: 12 }, (_, i) => `s${i + 10}`);
    const [made, edges, callees] = coverageWords(graphCoverage(null, services));
    expect(made).toBe("no edge is known");
    expect(edges).toContain("12 of 12 services without any edge: s10, s11");
    expect(callees).toMatch(/^12 of 12 services have no known callees \(s10, .*s19 and 2 more\): for those/);
  });

  it("a graph that people configured whole costs nothing", () => {
    const whole: Topology = { edges: [["web", "cart"]], external: [] };
    expect(coverageWords(graphCoverage(whole, ["web", "cart"]))).toEqual([
      "1 edge: 1 configured; traffic is measured over 0",
    ]);
  });
});
