import { describe, expect, it } from "vitest";
import type { Span } from "../../../core/model/evidence.ts";
import type { TraceSource } from "../../../core/ports.ts";
import { callTool } from "../call-tool.ts";
import { context, NOW, noSources } from "../scenario.ts";

const span = (traceId: string, spanId: string, service: string, over: Partial<Span> = {}): Span => ({
  traceId,
  spanId,
  service,
  name: `GET /${service}`,
  startUs: (NOW - 60_000) * 1_000,
  durationUs: 20_000,
  error: false,
  ...over,
});

const traces = (spans: readonly Span[]): TraceSource => ({
  name: "zipkin",
  spans: async () => ({ spans, more: false }),
});

describe("get_traces", () => {
  it("shows the way to the deepest failing span, its versions and its time", async () => {
    const spans = [
      span("a", "1", "gateway", { error: true, durationUs: 90_000 }),
      span("a", "2", "checkout", { parentId: "1", error: true, version: "v1.4.2" }),
      span("a", "3", "search", { parentId: "1" }),
    ];
    const { structured } = await callTool(
      context({ sources: { ...noSources, traces: [traces(spans)] } }),
      "get_traces",
    );
    expect(structured?.traces).toEqual([
      {
        trace_id: "a",
        at: "2026-03-02T14:19:00.000Z",
        ms: 90,
        failed: true,
        path: ["!gateway «GET /gateway» 90ms", "!checkout@v1.4.2 «GET /checkout» 20ms"],
        spans: 3,
      },
    ]);
  });

  it("shows the slowest way of a trace that did not fail, and survives spans that point in a circle", async () => {
    const spans = [
      span("b", "1", "gateway", { parentId: "2" }),
      span("b", "2", "checkout", { parentId: "1", durationUs: 900_000 }),
    ];
    const sources = { ...noSources, traces: [traces(spans)] };
    const { structured } = await callTool(context({ sources }), "get_traces", { errors_only: false });
    const [trace] = (structured?.traces ?? []) as { path: string[]; failed: boolean }[];
    expect(trace?.failed).toBe(false);
    expect(trace?.path.at(-1)).toContain("checkout");
  });
});
