import { describe, expect, it } from "vitest";
import { topologyFromSpans } from "../../../core/correlation/span-edges.ts";
import type { Span } from "../../../core/model/evidence.ts";
import { MINUTE, T0 } from "./fixtures.ts";

const span = (service: string, spanId: string, replaced: Partial<Span> = {}): Span => ({
  traceId: "t1",
  spanId,
  service,
  name: "get",
  startUs: T0 * 1000,
  durationUs: 10,
  error: false,
  ...replaced,
});
const window = { from: T0, to: T0 + MINUTE };

describe("the call graph in spans", () => {
  it("a span below one of another service is a call, and so is one that names whom it calls", () => {
    const topology = topologyFromSpans(
      [
        span("gateway", "1"),
        span("cart", "2", { parentId: "1" }),
        span("cart", "3", { parentId: "2" }),
        span("cart", "4", { parentId: "3", callee: "postgres", startUs: (T0 + 5000) * 1000 }),
        span("gateway", "1", { traceId: "t2" }),
        span("cart", "2", { traceId: "t2", parentId: "1", startUs: (T0 + 30_000) * 1000 }),
      ],
      window,
    );
    expect(topology).toEqual({
      edges: [
        ["gateway", "cart"],
        ["cart", "postgres"],
      ],
      external: [],
      details: [
        {
          caller: "gateway",
          callee: "cart",
          source: "spans",
          confidence: 3 / 4,
          traffic: { perSecond: 2 / 60, at: T0 + 30_000 },
        },
        {
          caller: "cart",
          callee: "postgres",
          source: "spans",
          confidence: 2 / 3,
          traffic: { perSecond: 1 / 60, at: T0 + 5000 },
        },
      ],
      reporting: ["gateway", "cart"],
    });
  });

  it("a parent that is not among the spans, or of another trace, is no caller", () => {
    expect(topologyFromSpans([span("cart", "2", { parentId: "1" })], window)).toBeNull();
    expect(
      topologyFromSpans([span("gateway", "1", { traceId: "t9" }), span("cart", "2", { parentId: "1" })], window),
    ).toBeNull();
    expect(topologyFromSpans([], window)).toBeNull();
  });
});
