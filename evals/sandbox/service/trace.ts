import { randomBytes } from "node:crypto";

/** One span's place in a trace. `parentId` undefined: the root. */
export interface TraceContext {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentId: string | undefined;
  readonly sampled: boolean;
}

const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?$/;

/**
 * Goes on with the trace that a `traceparent` header names, or starts one. A header that breaks the format is as good
 * as none. `sampleRatio` 0–1 decides for traces that start here; a trace that goes on keeps its caller's decision.
 *
 * @see https://www.w3.org/TR/trace-context/#traceparent-header
 */
export function continueTrace(header: string | undefined, sampleRatio: number): TraceContext {
  const [, traceId, parentId, flags] = TRACEPARENT.exec(header ?? "") ?? [];
  if (traceId === undefined || parentId === undefined || flags === undefined)
    return { traceId: hexId(16), spanId: hexId(8), parentId: undefined, sampled: Math.random() < sampleRatio };
  return { traceId, spanId: hexId(8), parentId, sampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

/** The context of a call made within `parent`. */
export function childOf(parent: TraceContext): TraceContext {
  return { ...parent, spanId: hexId(8), parentId: parent.spanId };
}

export function traceparent(context: TraceContext): string {
  return `00-${context.traceId}-${context.spanId}-${context.sampled ? "01" : "00"}`;
}

/** Random, and never all zeros, which the format forbids. */
function hexId(bytes: number): string {
  const id = randomBytes(bytes).toString("hex");
  return /^0+$/.test(id) ? hexId(bytes) : id;
}
