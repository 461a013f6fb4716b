import type { Span } from "../model/evidence.ts";
import type { Onset } from "../model/finding.ts";

/** Where errors start according to traces: spans that failed while none of their children did. */
export interface SpanErrors {
  readonly service: string;
  readonly failed: number;
  readonly total: number;
  readonly versions: ReadonlyMap<string, { failed: number; total: number }>;
}

/** Failed leaf calls by service since the onset, most first. A parent that fails because of its child is not counted. */
export function errorOrigins(spans: readonly Span[], onset: Onset): readonly SpanErrors[] {
  const suffering = new Set(
    spans.filter((span) => span.error && span.parentId !== undefined).map((span) => `${span.traceId}/${span.parentId}`),
  );
  const byService = new Map<
    string,
    { failed: number; total: number; versions: Map<string, { failed: number; total: number }> }
  >();
  for (const span of spans) {
    if (span.startUs / 1000 < onset.earliest) continue;
    const one = byService.get(span.service) ?? { failed: 0, total: 0, versions: new Map() };
    byService.set(span.service, one);
    const starts = span.error && !suffering.has(`${span.traceId}/${span.spanId}`);
    one.total += 1;
    if (starts) one.failed += 1;
    if (span.version === undefined) continue;
    const version = one.versions.get(span.version) ?? { failed: 0, total: 0 };
    one.versions.set(span.version, version);
    version.total += 1;
    if (starts) version.failed += 1;
  }
  return [...byService]
    .map(([service, one]) => ({ service, ...one }))
    .sort((a, b) => b.failed - a.failed || (a.service < b.service ? -1 : 1));
}
