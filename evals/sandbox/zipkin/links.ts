import type { ZipkinSpan } from "../service/spans.ts";

/** A line of the service graph, as `GET /api/v2/dependencies` answers it. Counts are of calls in the asked time. */
export interface DependencyLink {
  readonly parent: string;
  readonly child: string;
  readonly callCount: number;
  readonly errorCount?: number;
}

/**
 * The links in one set of traces. A server span links its parent's service to its own; a client span that no server
 * span answers (the callee reports none) links its service to the remote name that it knows. An error counts where
 * the link's span carries the tag "error".
 */
export function dependencyLinks(traces: Iterable<readonly ZipkinSpan[]>): readonly DependencyLink[] {
  const counts = new Map<string, { calls: number; errors: number }>();
  for (const trace of traces) {
    for (const [parent, child, failed] of linksOf(trace)) {
      const key = JSON.stringify([parent, child]);
      const count = counts.get(key) ?? { calls: 0, errors: 0 };
      counts.set(key, { calls: count.calls + 1, errors: count.errors + (failed ? 1 : 0) });
    }
  }
  return [...counts].map(([key, { calls, errors }]) => {
    const [parent, child]: [string, string] = JSON.parse(key);
    return { parent, child, callCount: calls, ...(errors > 0 && { errorCount: errors }) };
  });
}

function* linksOf(trace: readonly ZipkinSpan[]): Generator<[parent: string, child: string, failed: boolean]> {
  const byId = new Map(trace.map((span) => [span.id, span]));
  const answered = new Set(trace.filter(({ kind }) => kind === "SERVER").map(({ parentId }) => parentId));
  for (const span of trace) {
    const failed = "error" in span.tags;
    const own = span.localEndpoint.serviceName;
    if (span.kind === "SERVER") {
      const caller = byId.get(span.parentId ?? "")?.localEndpoint.serviceName;
      if (caller !== undefined) yield [caller, own, failed];
    } else if (span.remoteEndpoint !== undefined && !answered.has(span.id)) {
      yield [own, span.remoteEndpoint.serviceName, failed];
    }
  }
}
