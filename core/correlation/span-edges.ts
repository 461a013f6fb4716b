import type { Span, Topology } from "../model/evidence.ts";
import { type CallCount, edgeKey, seenEdge } from "../model/seen-edge.ts";
import type { Window } from "../model/time.ts";

/** The calls that spans show, by edge: a span below one of another service, and one that names whom it calls. */
export function callsInSpans(spans: readonly Span[]): ReadonlyMap<string, CallCount> {
  const byId = new Map(spans.map((span) => [`${span.traceId}/${span.spanId}`, span]));
  const calls = new Map<string, CallCount>();
  const count = (caller: string, callee: string, at: number) => {
    if (caller === callee || caller === "" || callee === "") return;
    const before = calls.get(edgeKey(caller, callee));
    calls.set(edgeKey(caller, callee), {
      caller,
      callee,
      requests: (before?.requests ?? 0) + 1,
      at: Math.max(before?.at ?? 0, at),
    });
  };
  for (const span of spans) {
    const parent = span.parentId === undefined ? undefined : byId.get(`${span.traceId}/${span.parentId}`);
    if (parent !== undefined) count(parent.service, span.service, span.startUs / 1000);
    if (span.callee !== undefined) count(span.service, span.callee, span.startUs / 1000);
  }
  return calls;
}

/**
 * Who called whom in the spans of a window; null where they show no call. It calls no node external: a service that is
 * down reports no span either.
 */
export function topologyFromSpans(spans: readonly Span[], window: Window): Topology | null {
  const calls = [...callsInSpans(spans).values()];
  if (calls.length === 0) return null;
  return {
    edges: calls.map(({ caller, callee }) => [caller, callee] as const),
    external: [],
    details: calls.map((call) => seenEdge(call, "spans", window.to - window.from)),
    reporting: [...new Set(spans.map(({ service }) => service))],
  };
}
