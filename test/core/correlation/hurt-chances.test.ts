import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type CallGraph, createCallGraph } from "../../../core/correlation/call-graph.ts";
import { fitOrigins, type OriginInput } from "../../../core/correlation/origin.ts";

const names = ["web", "web-2", "cart", "cart-db", "pay", "stock"] as const;
const anyName = fc.constantFrom(...names);
const anyNats = fc.double({ min: -4, max: 6, noNaN: true });

function inputOf(graph: CallGraph, harm: readonly (readonly [string, number])[]): OriginInput {
  return {
    graph,
    harm: new Map(harm),
    atOrigin: new Map(harm),
    slowness: null,
    signatures: [],
    spans: null,
    surge: null,
    fewer: null,
    refused: new Map(),
    creeping: false,
    own: null,
    overloaded: new Map(),
    demand: new Map(),
    starved: new Set(),
    strain: null,
    bursts: new Map(),
    counted: new Set(),
    together: () => 0.1,
  };
}

describe("where trouble may start, whoever calls whom", () => {
  it("has a probability for each place in any graph, with circles, calls to oneself and externals alone", () => {
    const anyEdge = fc.tuple(anyName, anyName);
    fc.assert(
      fc.property(
        fc.array(anyEdge, { maxLength: 20 }),
        fc.array(anyName),
        fc.array(fc.tuple(anyName, anyNats)),
        fc.array(fc.tuple(anyName, fc.array(anyName, { minLength: 1, maxLength: 3 })), { maxLength: 3 }),
        (edges, external, harm, floods) => {
          const input = inputOf(createCallGraph({ edges, external }), harm);
          const overloaded = new Map(floods.map(([callee, callers]) => [callee, new Set<string>(callers)]));
          for (const { kind, fit, atConsumers } of fitOrigins({ ...input, overloaded })) {
            expect(Number.isFinite(fit)).toBe(true);
            expect(atConsumers).not.toBeNaN();
            if (kind !== "service") expect(atConsumers).toBe(Number.NEGATIVE_INFINITY);
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  it("reads the graph a number of times that grows with the services, not with the pairs of them", () => {
    const readsOf = (size: number): number => {
      const services = Array.from({ length: size }, (_, i) => `s${i}`);
      const edges = services.flatMap((one, i) =>
        [1, 2, 3].map((step) => [one, services[(i + step) % size] ?? one] as const),
      );
      const graph = createCallGraph({ edges, external: [] });
      let reads = 0;
      const counted: CallGraph = {
        ...graph,
        callees: (service) => {
          reads += 1;
          return graph.callees(service);
        },
      };
      fitOrigins(
        inputOf(
          counted,
          services.map((one, i) => [one, i < 3 ? 4 : -2]),
        ),
      );
      return reads;
    };
    expect(readsOf(80)).toBeLessThanOrEqual(2 * readsOf(40));
  });
});
