import type { IncomingMessage } from "node:http";
import { gunzipSync } from "node:zlib";
import { type Answer, type Listener, listen, readBody, send } from "../listener.ts";
import type { ZipkinSpan } from "../service/spans.ts";
import { dependencyLinks } from "./links.ts";
import { BadQuery, matches, parseTimes, parseTraceQuery, startOf } from "./query.ts";

/** The newest spans are kept, about ten minutes of a sandbox under default traffic; whole traces go, oldest first. */
const MAX_SPANS = 60_000;
const MAX_BODY_BYTES = 5_000_000;

/**
 * Collects spans and answers questions about them: the part of Zipkin's v2 API that tools use, in memory.
 *
 * @see https://zipkin.io/zipkin-api/zipkin2-api.yaml
 */
export async function startZipkin(): Promise<Listener> {
  const traces = new Map<string, ZipkinSpan[]>();
  let held = 0;

  function store(spans: readonly ZipkinSpan[]): void {
    for (const span of spans) {
      const trace = traces.get(span.traceId) ?? [];
      traces.set(span.traceId, trace);
      trace.push(span);
      held += 1;
    }
    for (const [traceId, trace] of traces) {
      if (held <= MAX_SPANS) break;
      traces.delete(traceId);
      held -= trace.length;
    }
  }

  function read(path: string, search: URLSearchParams, now: number): Answer {
    const ok = (body: unknown): Answer => ({ status: 200, body });
    const all = [...traces.values()];
    const names = (of: (span: ZipkinSpan) => string | undefined) =>
      [...new Set(all.flat().map(of))].filter((name) => name !== undefined).sort();
    const wanted = search.get("serviceName")?.toLowerCase();
    if (path === "/services") return ok(names((span) => span.localEndpoint.serviceName));
    if (path === "/spans") return ok(names((span) => (by(span, wanted) ? span.name : undefined)));
    if (path === "/remoteServices")
      return ok(names((span) => (by(span, wanted) ? span.remoteEndpoint?.serviceName : undefined)));
    if (path === "/autocompleteKeys" || path === "/autocompleteValues") return ok([]);
    if (path === "/traces") {
      const query = parseTraceQuery(search, now);
      const found = all.filter((trace) => matches(query, trace)).sort((a, b) => startOf(b) - startOf(a));
      return ok(found.slice(0, query.limit));
    }
    if (path === "/traceMany") return ok(many(search.get("traceIds") ?? "", traces));
    if (path === "/dependencies") {
      if (!search.has("endTs")) throw new BadQuery("Required parameter endTs is missing");
      const { endTs, lookback } = parseTimes(search, now);
      const within = (trace: readonly ZipkinSpan[]) => {
        const at = startOf(trace) / 1000;
        return at <= endTs && at >= endTs - lookback;
      };
      return ok(dependencyLinks(all.filter(within)));
    }
    const trace = /^\/trace\/([0-9a-f]{16,32})$/.exec(path)?.[1];
    const spans = trace === undefined ? undefined : traces.get(trace);
    return spans === undefined ? { status: 404 } : ok(spans);
  }

  async function take(request: IncomingMessage): Promise<Answer> {
    const body = await readBody(request, MAX_BODY_BYTES);
    if (body === undefined) return { status: 413 };
    try {
      store(parseSpans(request.headers["content-encoding"] === "gzip" ? gunzipSync(body) : body));
      return { status: 202 };
    } catch {
      return { status: 400, body: "Cannot decode spans" };
    }
  }

  async function answer(request: IncomingMessage): Promise<Answer> {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://zipkin");
    if (pathname === "/health") return { status: 200, body: { status: "UP" } };
    const path = /^\/api\/v2(\/.*)$/.exec(pathname)?.[1];
    if (path === "/spans" && request.method === "POST") return take(request);
    if (path === undefined || request.method !== "GET") return { status: 404 };
    try {
      return read(path, searchParams, Date.now());
    } catch (error) {
      if (!(error instanceof BadQuery)) throw error;
      return { status: 400, body: error.message };
    }
  }

  return listen(async (request, response) => send(response, await answer(request)));
}

function by(span: ZipkinSpan, service: string | undefined): boolean {
  return span.localEndpoint.serviceName === service;
}

function many(ids: string, traces: ReadonlyMap<string, ZipkinSpan[]>): readonly ZipkinSpan[][] {
  const wanted = new Set(ids.split(",").filter((id) => id !== ""));
  if (wanted.size < 2) throw new BadQuery("traceIds parameter must contain at least two unique trace IDs");
  return [...wanted].flatMap((id) => {
    const trace = traces.get(id);
    return trace === undefined ? [] : [trace];
  });
}

/** Takes what the format requires and fills in what a reporter may leave out. Throws on anything else. */
function parseSpans(body: Buffer): readonly ZipkinSpan[] {
  const list: unknown = JSON.parse(body.toString("utf8"));
  if (!Array.isArray(list)) throw new Error("a list of spans is wanted");
  return list.map((item: Partial<ZipkinSpan>) => {
    const { traceId, id, name = "", timestamp = 0, duration = 0, localEndpoint, tags = {} } = item;
    if (!/^[0-9a-f]{16,32}$/.test(traceId ?? "") || !/^[0-9a-f]{16}$/.test(id ?? "")) throw new Error("no ids");
    return {
      ...item,
      traceId: traceId ?? "",
      id: id ?? "",
      name: name.toLowerCase(),
      kind: item.kind === "CLIENT" ? "CLIENT" : "SERVER",
      timestamp,
      duration,
      localEndpoint: { ...localEndpoint, serviceName: localEndpoint?.serviceName?.toLowerCase() ?? "" },
      tags,
    };
  });
}
