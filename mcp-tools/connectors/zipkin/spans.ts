import { createHmac, randomBytes } from "node:crypto";
import { z } from "zod";
import type { Span } from "../../../core/model/evidence.ts";

const Endpoint = z.object({ serviceName: z.string().optional() });

/** A span as Zipkin's v2 API spells it; only trace and span ids are sure to be there. Times in µs. */
export const ZipkinSpan = z.object({
  traceId: z.string(),
  id: z.string(),
  parentId: z.string().optional(),
  kind: z.string().optional(),
  name: z.string().optional(),
  timestamp: z.number().int().nonnegative().optional(),
  duration: z.number().nonnegative().optional(),
  shared: z.boolean().optional(),
  localEndpoint: Endpoint.optional(),
  remoteEndpoint: Endpoint.optional(),
  tags: z.record(z.string(), z.string()).optional(),
});
export type ZipkinSpan = z.infer<typeof ZipkinSpan>;

/** Tags under which instrumentations put the version that served (OpenTelemetry's semantic convention first). */
const VERSION_TAGS = ["service.version", "version", "app.version"] as const;

/** Tags under which instrumentations put whose request it is. @see https://opentelemetry.io/docs/specs/semconv/registry/attributes/user/ , …/enduser/ and …/session/ */
const USER_TAGS = ["user.id", "enduser.id", "enduser.pseudo.id", "session.id"] as const;
/** Who a user is, is nobody's business here: only that two requests are of the same one. A new secret for each process. */
const PSEUDONYMS = randomBytes(32);
const pseudonym = (id: string): string => createHmac("sha256", PSEUDONYMS).update(id).digest("hex").slice(0, 16);

/**
 * One trace in our own terms. Spans without a time or without a service are left out: nothing can be said of them.
 *
 * A call has one edge, from the caller's span to the callee's. Where both halves share one id (B3's joined spans) the
 * server's half gets an id of its own below the client's, and what the server called hangs below that. Where the callee
 * reports nothing (a database, a bank) the client's span names it as `callee`.
 *
 * A span has failed where it carries a tag "error", whatever its value: so Zipkin's own dependency linker counts.
 *
 * @see https://zipkin.io/zipkin-api/zipkin2-api.yaml (Span, kind, shared)
 * @see https://github.com/openzipkin/b3-propagation (sharing the span id)
 */
export function spansOf(trace: readonly ZipkinSpan[]): readonly Span[] {
  const clients = new Set(trace.filter(({ kind }) => kind === "CLIENT").map(({ id }) => id));
  const joined = new Map<string, string | undefined>();
  for (const span of trace) {
    if (isJoined(span, clients)) joined.set(span.id, span.localEndpoint?.serviceName);
  }
  const answered = new Set(
    trace
      .filter(({ kind }) => kind === "SERVER" || kind === "CONSUMER")
      .map((span) => (isJoined(span, clients) ? span.id : span.parentId)),
  );
  return trace.flatMap((span) => {
    const service = span.localEndpoint?.serviceName;
    if (span.timestamp === undefined || service === undefined || service === "") return [];
    const own = isJoined(span, clients);
    const below = span.parentId !== undefined && joined.has(span.parentId) && joined.get(span.parentId) === service;
    const parentId = own ? span.id : below ? serverId(span.parentId ?? "") : span.parentId;
    const calls = span.kind === "CLIENT" || span.kind === "PRODUCER";
    const callee = calls && !answered.has(span.id) ? span.remoteEndpoint?.serviceName : undefined;
    const version = VERSION_TAGS.map((tag) => span.tags?.[tag]).find((value) => value !== undefined && value !== "");
    const user = USER_TAGS.map((tag) => span.tags?.[tag]).find((value) => value !== undefined && value !== "");
    return [
      {
        traceId: span.traceId,
        spanId: own ? serverId(span.id) : span.id,
        ...(parentId === undefined ? {} : { parentId }),
        service,
        name: span.name ?? "",
        startUs: span.timestamp,
        durationUs: span.duration ?? 0,
        error: span.tags?.error !== undefined,
        ...(version === undefined ? {} : { version }),
        ...(callee === undefined || callee === "" ? {} : { callee }),
        ...(user === undefined ? {} : { user: pseudonym(user) }),
      },
    ];
  });
}

/** The calls in one trace, each service pair as often as it was called. */
export function callsOf(spans: readonly Span[]): readonly (readonly [caller: string, callee: string])[] {
  const byId = new Map(spans.map((span) => [span.spanId, span]));
  return spans.flatMap((span) => {
    const caller = byId.get(span.parentId ?? "")?.service;
    const calls: (readonly [string, string])[] = [];
    if (caller !== undefined && caller !== span.service) calls.push([caller, span.service]);
    if (span.callee !== undefined && span.callee !== span.service) calls.push([span.service, span.callee]);
    return calls;
  });
}

/** Spans with errors and all that called them, then the rest; newest trace first in each half. */
export function errorsFirst(spans: readonly Span[]): {
  readonly failed: readonly Span[];
  readonly rest: readonly Span[];
} {
  const byId = new Map(spans.map((span) => [keyOf(span.traceId, span.spanId), span]));
  const marked = new Set<Span>();
  for (const span of spans) {
    let at: Span | undefined = span.error ? span : undefined;
    while (at !== undefined && !marked.has(at)) {
      marked.add(at);
      at = at.parentId === undefined ? undefined : byId.get(keyOf(at.traceId, at.parentId));
    }
  }
  const newest = spans.toSorted((a, b) => b.startUs - a.startUs);
  return { failed: newest.filter((span) => marked.has(span)), rest: newest.filter((span) => !marked.has(span)) };
}

function isJoined(span: ZipkinSpan, clients: ReadonlySet<string>): boolean {
  return span.kind === "SERVER" && (span.shared === true || clients.has(span.id)) && clients.has(span.id);
}

function serverId(id: string): string {
  return `${id}:server`;
}

function keyOf(traceId: string, spanId: string): string {
  return `${traceId}/${spanId}`;
}
