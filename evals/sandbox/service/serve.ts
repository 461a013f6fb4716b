import type { IncomingMessage, ServerResponse } from "node:http";
import type { Callees } from "./callees.ts";
import type { Log } from "./log.ts";
import type { CallCode, ImageManifest, RouteCode } from "./manifest.ts";
import { Bug, type Quirks, sleep } from "./quirks.ts";
import type { SpanReporter, ZipkinSpan } from "./spans.ts";
import type { Telemetry } from "./telemetry.ts";
import { childOf, continueTrace, type TraceContext, traceparent } from "./trace.ts";

export interface ServeParts {
  readonly manifest: ImageManifest;
  readonly quirks: Quirks;
  readonly callees: Callees;
  readonly telemetry: Telemetry;
  readonly spans: SpanReporter;
  readonly log: Log;
  readonly traceRatio: number;
}

/** One good answer in so many is logged; every bad one is. */
const LOG_ONE_IN = 20;
/** Spread of the log-normal service time. */
const WORK_SIGMA = 0.35;

interface Answer {
  readonly status: number;
  readonly body: unknown;
  /** What went wrong, for log and span. */
  readonly error?: string;
}

/** The request handler of a service: runs the route's code, answers, and tells telemetry what was really served. */
export function createHandler(parts: ServeParts): (request: IncomingMessage, response: ServerResponse) => void {
  const { manifest, telemetry, spans, log } = parts;
  const routes = new Map(manifest.routes.map((route) => [`${route.method} ${route.path}`, route]));

  return (request, response) => {
    const arrivedAt = now();
    const method = request.method ?? "GET";
    const path = (request.url ?? "/").split("?")[0] ?? "/";
    const route = routes.get(`${method} ${path}`);
    const trace = continueTrace(one(request.headers.traceparent), parts.traceRatio);
    request.resume();

    answerTo(route, trace, parts).then((answer) => {
      // "finish" means that the whole answer was handed over: only then was the request served.
      response.on("finish", () => {
        const tookMs = now() - arrivedAt;
        const name = route?.path ?? "unmatched";
        telemetry.served({ route: name, method, status: answer.status, seconds: tookMs / 1000 });
        if (trace.sampled) spans.record(serverSpan(trace, manifest, { method, name, answer, arrivedAt, tookMs }));
        if (answer.error !== undefined) log.write("error", answer.error, trace.traceId);
        else if (Math.random() * LOG_ONE_IN < 1)
          log.write("info", `${method} ${name} ${answer.status} in ${Math.round(tookMs)} ms`, trace.traceId);
      });
      response.writeHead(answer.status, { "content-type": "application/json" });
      response.end(JSON.stringify(answer.body));
    });
  };
}

async function answerTo(route: RouteCode | undefined, trace: TraceContext, parts: ServeParts): Promise<Answer> {
  const { service, version } = parts.manifest;
  if (route === undefined) return { status: 404, body: { error: "no such route" } };
  try {
    await sleep(logNormal(route.workMs));
    await parts.quirks.meet(route.path);
  } catch (error) {
    if (!(error instanceof Bug)) throw error;
    return { status: 500, body: { error: "internal error" }, error: error.message };
  }
  for (const call of route.calls) {
    const failure = await callOut(call, trace, parts);
    if (failure !== undefined) return failure;
  }
  return { status: 200, body: { service, version } };
}

/** Makes one call; undefined where it went well, otherwise what this service has to answer because of it. */
async function callOut(call: CallCode, parent: TraceContext, parts: ServeParts): Promise<Answer | undefined> {
  const { callees, telemetry, spans, manifest } = parts;
  const trace = childOf(parent);
  const startedAt = now();
  const result = await callees.call({ ...call, headers: { traceparent: traceparent(trace) } });
  const status = result.kind === "answered" ? result.status : undefined;
  telemetry.called({ callee: call.service, status: status ?? "error" });
  const error = failureText(call, result);
  if (trace.sampled) {
    const tags = { "http.method": call.method, "http.path": call.path, "service.version": manifest.version };
    spans.record({
      ...identity(trace),
      name: `${call.method} ${call.path}`.toLowerCase(),
      kind: "CLIENT",
      timestamp: micros(startedAt),
      duration: Math.max(1, Math.round((now() - startedAt) * 1000)),
      localEndpoint: { serviceName: manifest.service },
      remoteEndpoint: { serviceName: call.service, ...(result.port > 0 && { port: result.port }) },
      tags: {
        ...tags,
        ...(status !== undefined && { "http.status_code": String(status) }),
        ...(error !== undefined && { error }),
      },
    });
  }
  if (error === undefined) return undefined;
  const answered = result.kind === "timed-out" ? 504 : 502;
  return { status: answered, body: { error: `${call.service} failed` }, error };
}

function failureText(call: CallCode, result: Awaited<ReturnType<Callees["call"]>>): string | undefined {
  const what = `${call.service} ${call.method} ${call.path}`;
  if (result.kind === "timed-out") return `upstream ${what} timed out after ${call.timeoutMs} ms`;
  if (result.kind === "answered")
    return result.status >= 500 ? `upstream ${what} answered ${result.status}` : undefined;
  return `upstream ${what} is unreachable`;
}

function serverSpan(
  trace: TraceContext,
  manifest: ImageManifest,
  served: { method: string; name: string; answer: Answer; arrivedAt: number; tookMs: number },
): ZipkinSpan {
  const { method, name, answer } = served;
  return {
    ...identity(trace),
    name: `${method} ${name}`.toLowerCase(),
    kind: "SERVER",
    timestamp: micros(served.arrivedAt),
    duration: Math.max(1, Math.round(served.tookMs * 1000)),
    localEndpoint: { serviceName: manifest.service },
    tags: {
      "http.method": method,
      "http.path": name,
      "http.status_code": String(answer.status),
      "service.version": manifest.version,
      ...(answer.error !== undefined && { error: answer.error }),
    },
  };
}

function identity(trace: TraceContext) {
  return {
    traceId: trace.traceId,
    id: trace.spanId,
    ...(trace.parentId !== undefined && { parentId: trace.parentId }),
  };
}

/** Unix ms with fractions, from the monotonic clock. */
function now(): number {
  return performance.timeOrigin + performance.now();
}

function micros(ms: number): number {
  return Math.round(ms * 1000);
}

function logNormal(median: number): number {
  const normal = Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());
  return median * Math.exp(WORK_SIGMA * normal);
}

function one(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}
