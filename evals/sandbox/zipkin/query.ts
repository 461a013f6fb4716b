import type { ZipkinSpan } from "../service/spans.ts";

/** The criteria of `GET /api/v2/traces`; times in ms, durations in µs. */
export interface TraceQuery {
  readonly serviceName: string | undefined;
  readonly spanName: string | undefined;
  /** key → value that a tag must have, or "" where only its presence (or an annotation of that text) counts. */
  readonly annotations: ReadonlyMap<string, string>;
  readonly minDuration: number | undefined;
  readonly maxDuration: number | undefined;
  readonly endTs: number;
  readonly lookback: number;
  readonly limit: number;
}

/** Zipkin's own default for QUERY_LOOKBACK: one day, in ms. */
const QUERY_LOOKBACK_MS = 86_400_000;
const DEFAULT_LIMIT = 10;

/**
 * Reads the query of a request. Throws with Zipkin-like words where a number is none or is out of its range.
 *
 * @see https://zipkin.io/zipkin-api/zipkin2-api.yaml, /traces
 */
export function parseTraceQuery(search: URLSearchParams, now: number): TraceQuery {
  const { endTs, lookback } = parseTimes(search, now);
  const limit = integer(search, "limit") ?? DEFAULT_LIMIT;
  const minDuration = integer(search, "minDuration");
  const maxDuration = integer(search, "maxDuration");
  if (limit <= 0) throw new BadQuery("limit <= 0");
  if (minDuration !== undefined && minDuration <= 0) throw new BadQuery("minDuration <= 0");
  if (maxDuration !== undefined && minDuration === undefined)
    throw new BadQuery("maxDuration is only valid with minDuration");
  return {
    serviceName: search.get("serviceName")?.toLowerCase() || undefined,
    spanName: search.get("spanName")?.toLowerCase() || undefined,
    annotations: parseAnnotations(search.get("annotationQuery") ?? ""),
    minDuration,
    maxDuration,
    endTs,
    lookback,
    limit,
  };
}

/** `endTs` and `lookback`, in ms, with Zipkin's defaults. */
export function parseTimes(
  search: URLSearchParams,
  now: number,
): { readonly endTs: number; readonly lookback: number } {
  const endTs = integer(search, "endTs") ?? now;
  const lookback = Math.min(integer(search, "lookback") ?? endTs, QUERY_LOOKBACK_MS);
  if (endTs <= 0) throw new BadQuery("endTs <= 0");
  if (lookback <= 0) throw new BadQuery("lookback <= 0");
  return { endTs, lookback };
}

export class BadQuery extends Error {}

/** Whether a trace fits: all criteria but the times must be met by spans that the named service itself recorded. */
export function matches(query: TraceQuery, trace: readonly ZipkinSpan[]): boolean {
  const startMs = startOf(trace) / 1000;
  if (startMs > query.endTs || startMs < query.endTs - query.lookback) return false;
  const own = trace.filter(
    ({ localEndpoint }) => query.serviceName === undefined || localEndpoint.serviceName === query.serviceName,
  );
  if (own.length === 0) return false;
  const { spanName, minDuration, maxDuration = Number.POSITIVE_INFINITY } = query;
  if (spanName !== undefined && !own.some(({ name }) => name === spanName)) return false;
  if (minDuration !== undefined && !own.some(({ duration }) => duration >= minDuration && duration <= maxDuration))
    return false;
  return [...query.annotations].every(([key, value]) =>
    own.some(({ tags }) => (value === "" ? key in tags : tags[key] === value)),
  );
}

/** Start of a trace, Unix µs: the earliest of its spans. */
export function startOf(trace: readonly ZipkinSpan[]): number {
  return trace.reduce((earliest, { timestamp }) => Math.min(earliest, timestamp), Number.POSITIVE_INFINITY);
}

function parseAnnotations(text: string): ReadonlyMap<string, string> {
  const parts = text.split(" and ").map((part) => part.trim());
  return new Map(
    parts
      .filter((part) => part !== "")
      .map((part) => {
        const at = part.indexOf("=");
        return at === -1 ? [part, ""] : [part.slice(0, at), part.slice(at + 1)];
      }),
  );
}

function integer(search: URLSearchParams, name: string): number | undefined {
  const text = search.get(name);
  if (text === null || text === "") return undefined;
  if (!/^-?\d+$/.test(text)) throw new BadQuery(`${name} is not a number: ${text}`);
  return Number(text);
}
