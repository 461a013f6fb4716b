import { z } from "zod";
import { UnshipError } from "../../../core/errors.ts";
import type { KnownEdge, Span, Topology } from "../../../core/model/evidence.ts";
import { type CallCount, edgeKey, seenConfidence, seenEdge } from "../../../core/model/seen-edge.ts";
import type { Clock, TraceSource } from "../../../core/ports.ts";
import { type RememberedTopology, rememberedTopology } from "../edge-memory.ts";
import { type Http, type Path, path } from "../http.ts";
import { callsOf, errorsFirst, spansOf, ZipkinSpan } from "./spans.ts";

export interface ZipkinOptions {
  /** Base: where `/api/v2` lies. */
  readonly http: Http;
  readonly clock: Clock;
  /** How far back calls count as traffic measured now, ms. Default one hour. */
  readonly topologyMs?: number;
}

export interface ZipkinSource extends TraceSource, RememberedTopology {
  /** How many services it knows, and how long it takes to say so. */
  ping(abort: AbortSignal): Promise<{ readonly services: number; readonly latencyMs: number }>;
}

const Traces = z.array(z.array(ZipkinSpan));
type Trace = readonly ZipkinSpan[];
const Names = z.array(z.string());
const Links = z.array(
  z.object({ parent: z.string(), child: z.string(), callCount: z.number().nonnegative().default(0) }),
);

const HOUR_MS = 3_600_000;
/** How far Zipkin looks back where nobody says (`QUERY_LOOKBACK`). @see https://github.com/openzipkin/zipkin/blob/master/zipkin-server/README.md */
const DAY_MS = 24 * HOUR_MS;
/** Zipkin finds traces by their beginning; a span in the window may belong to one that began a little earlier. */
const TRACE_MS = 30_000;
/** More traces in one answer than this would be tens of MB. */
const MAX_TRACES = 500;
/**
 * Spans of one question, as answers of the largest size. One of 500 traces of 50 spans at 600 bytes takes 15 MB, two a
 * service: so eight services are read whole at their worst, and fifty of ordinary traffic.
 */
const ANSWERS = 4;

/**
 * Traces from Zipkin, or anything that speaks version 2 of its HTTP API, and the topology that it learns from them.
 *
 * Service names come as Zipkin holds them: in lower case.
 *
 * @see https://zipkin.io/zipkin-api/zipkin2-api.yaml
 */
export function createZipkin({ http, clock, topologyMs = HOUR_MS }: ZipkinOptions): ZipkinSource {
  let isFirst = true;

  async function traces(where: Path, abort: AbortSignal, spent = http.allowance(1)): Promise<readonly Trace[]> {
    return await http.getJson(where, Traces, abort, { spent });
  }

  async function spans(query: Parameters<TraceSource["spans"]>[0], abort: AbortSignal) {
    const { window, services = [], errorsOnly = false, limit } = query;
    if (!(limit > 0)) throw new UnshipError("input.invalid", { what: "limit", reason: "it must be above 0" });
    const endTs = window.to;
    const lookback = Math.max(1, window.to - window.from) + TRACE_MS;
    const many = Math.min(limit, MAX_TRACES);
    // Traces with errors are asked for by themselves, or a busy minute of good ones would crowd them out.
    const asked = (services.length === 0 ? [""] : services).map((service) => {
      const name = service.toLowerCase();
      const failed = path`/api/v2/traces?serviceName=${name}&annotationQuery=${"error"}&endTs=${endTs}&lookback=${lookback}&limit=${many}`;
      const any = path`/api/v2/traces?serviceName=${name}&endTs=${endTs}&lookback=${lookback}&limit=${many}`;
      return errorsOnly ? [failed] : [failed, any];
    });
    const spent = http.allowance(ANSWERS);
    const answers: (readonly Trace[])[] = [];
    // One service after another: what is read at the same time is held at the same time.
    for (const both of asked) answers.push(...(await Promise.all(both.map((one) => traces(one, abort, spent)))));
    const byId = new Map(answers.flat().map((trace) => [trace[0]?.traceId ?? "", trace]));
    const { failed, rest } = errorsFirst([...byId.values()].flatMap(spansOf));
    const wanted = new Set(services.map((service) => service.toLowerCase()));
    const fits = ({ startUs, service }: Span, named: boolean) =>
      startUs >= window.from * 1000 &&
      startUs <= window.to * 1000 &&
      (!named || wanted.size === 0 || wanted.has(service));
    // What called a failed span is part of the story, whichever service it is of.
    const all = [
      ...failed.filter((span) => fits(span, false)),
      ...(errorsOnly ? [] : rest.filter((span) => fits(span, true))),
    ];
    const cut = answers.some((answer) => answer.length >= many);
    return { spans: all.slice(0, limit), more: cut || all.length > limit };
  }

  /** Calls and how many of them Zipkin holds, in the window that ends now. */
  async function linksOf(now: number, lookback: number, abort: AbortSignal): Promise<readonly CallCount[]> {
    const links = await http.getJson(path`/api/v2/dependencies?endTs=${now}&lookback=${lookback}`, Links, abort);
    return links
      .filter(({ parent, child }) => parent !== child && parent !== "" && child !== "")
      .map(({ parent, child, callCount }) => ({ caller: parent, callee: child, requests: callCount, at: now }));
  }

  /**
   * Zipkin's own links; where it has none (some of its stores work them out once a day), the calls in recent traces.
   * The first reading looks back as far as Zipkin does by itself, a day: those edges count as seen, their traffic not as
   * measured. A node that reports no spans is external: it may be a database or a third party, and cannot be rolled back.
   */
  async function readTopology(abort: AbortSignal): Promise<Topology> {
    const now = clock.now();
    const [links, older, names] = await Promise.all([
      linksOf(now, topologyMs, abort),
      isFirst ? linksOf(now, Math.max(DAY_MS, topologyMs), abort) : [],
      http.getJson(path`/api/v2/services`, Names, abort),
    ]);
    const calls = links.length > 0 ? links : await callsInTraces(now, abort);
    isFirst = false;
    const recent = calls.map((call) => seenEdge(call, "spans", topologyMs));
    const known = new Set(recent.map(({ caller, callee }) => edgeKey(caller, callee)));
    const past = older
      .filter(({ caller, callee }) => !known.has(edgeKey(caller, callee)))
      .map(({ caller, callee, requests }): KnownEdge => {
        return { caller, callee, source: "spans", confidence: seenConfidence(requests) };
      });
    const details = [...recent, ...past];
    const edges = details.map(({ caller, callee }) => [caller, callee] as const);
    const reporting = new Set(names);
    const external = [...new Set(edges.flat())].filter((name) => !reporting.has(name));
    return { edges, external, details, reporting: [...reporting] };
  }

  async function callsInTraces(now: number, abort: AbortSignal): Promise<readonly CallCount[]> {
    const found = await traces(path`/api/v2/traces?endTs=${now}&lookback=${topologyMs}&limit=${MAX_TRACES}`, abort);
    const calls = found.flatMap((trace) => callsOf(spansOf(trace)));
    return [...Map.groupBy(calls, ([caller, callee]) => edgeKey(caller, callee)).values()].flatMap((same) => {
      const [caller = "", callee = ""] = same[0] ?? [];
      return caller === "" || callee === "" ? [] : [{ caller, callee, requests: same.length, at: now }];
    });
  }

  const remembered = rememberedTopology({ name: http.source, clock, read: readTopology });
  return {
    name: http.source,
    spans,
    topology: remembered.topology,
    lacks: remembered.lacks,
    async ping(abort) {
      const begun = clock.now();
      const names = await http.getJson(path`/api/v2/services`, Names, abort);
      return { services: names.length, latencyMs: clock.now() - begun };
    },
  };
}
