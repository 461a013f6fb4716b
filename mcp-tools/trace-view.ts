import { z } from "zod";
import type { Span } from "../core/model/evidence.ts";
import { type AllFenced, type Fenced, own } from "../core/model/fenced.ts";
import { rfc3339 } from "../core/model/time.ts";
import { name } from "../core/model/untrusted-text.ts";
import { figure } from "./figures.ts";

/** One trace as its telling path. */
export const TraceView = z.strictObject({
  trace_id: z.string(),
  at: z.string(),
  ms: z.number(),
  failed: z.boolean(),
  path: z.array(z.string()),
  spans: z.number(),
});
export type TraceView = AllFenced<z.infer<typeof TraceView>>;

/** A path longer than this is a loop or a mistake in the data. */
const DEEPEST = 32;

/** Groups spans by trace, newest first; each shown as the way from its root to its deepest failing or slowest span. */
export function traceViews(spans: readonly Span[]): readonly TraceView[] {
  return [...Map.groupBy(spans, (span) => span.traceId).values()].map(traceView).toSorted(newestFirst);
}

const newestFirst = (a: TraceView, b: TraceView) =>
  a.at === b.at ? compare(a.trace_id, b.trace_id) : compare(b.at, a.at);
const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

function traceView(spans: readonly Span[]): TraceView {
  const byId = new Map(spans.map((span) => [span.spanId, span]));
  const paths = spans.map((span) => pathTo(span, byId));
  const failing = paths.filter((path) => path.at(-1)?.error === true);
  const longest = (from: readonly (readonly Span[])[]) =>
    from.toSorted((a, b) => b.length - a.length || (b.at(-1)?.durationUs ?? 0) - (a.at(-1)?.durationUs ?? 0))[0] ?? [];
  const path = failing.length > 0 ? longest(failing) : slowestPath(paths);
  const start = Math.min(...spans.map(({ startUs }) => startUs));
  const end = Math.max(...spans.map(({ startUs, durationUs }) => startUs + durationUs));
  return {
    trace_id: name(spans[0]?.traceId ?? ""),
    at: rfc3339(Math.floor(start / 1000)),
    ms: figure((end - start) / 1000),
    failed: failing.length > 0,
    path: path.map(spanText),
    spans: spans.length,
  };
}

function slowestPath(paths: readonly (readonly Span[])[]): readonly Span[] {
  const own = (path: readonly Span[]) => (path.at(-1)?.durationUs ?? 0) * (path.length > 1 ? 1 : 0);
  return paths.toSorted((a, b) => own(b) - own(a) || b.length - a.length)[0] ?? [];
}

function pathTo(span: Span, byId: ReadonlyMap<string, Span>): readonly Span[] {
  const path: Span[] = [];
  for (let at: Span | undefined = span; at !== undefined && path.length < DEEPEST && !path.includes(at); ) {
    path.unshift(at);
    at = at.parentId === undefined ? undefined : byId.get(at.parentId);
  }
  return path;
}

function spanText({ service, name: operation, durationUs, error, version }: Span): Fenced {
  const at = version === undefined ? name(service) : own`${name(service)}@${name(version)}`;
  return own`${error ? "!" : ""}${at} ${name(operation)} ${figure(durationUs / 1000)}ms`;
}
