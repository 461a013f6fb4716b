import { z } from "zod";
import { UnshipError } from "../../../core/errors.ts";
import type { Span, Topology } from "../../../core/model/evidence.ts";
import type { Clock, TopologySource, TraceSource } from "../../../core/ports.ts";
import { type Http, type Path, path } from "../http.ts";
import { callsOf, errorsFirst, spansOf, ZipkinSpan } from "./spans.ts";

export interface ZipkinOptions {
  /** Base: where `/api/v2` lies. */
  readonly http: Http;
  readonly clock: Clock;
  /** How far back calls count as today's topology. Default one hour. */
  readonly topologyMs?: number;
}

export interface ZipkinSource extends TraceSource, TopologySource {
  /** How many services it knows, and how long it takes to say so. */
  ping(abort: AbortSignal): Promise<{ readonly services: number; readonly latencyMs: number }>;
}

const Traces = z.array(z.array(ZipkinSpan));
const Names = z.array(z.string());
const Links = z.array(z.object({ parent: z.string(), child: z.string() }));

const HOUR_MS = 3_600_000;
/** Zipkin finds traces by their beginning; a span in the window may belong to one that began a little earlier. */
const TRACE_MS = 30_000;
/** More traces in one answer than this would be tens of MB. */
const MAX_TRACES = 500;

/**
 * Traces and topology from Zipkin, or anything that speaks version 2 of its HTTP API.
 *
 * Service names come as Zipkin holds them: in lower case.
 *
 * @see https://zipkin.io/zipkin-api/zipkin2-api.yaml
 */
export function createZipkin({ http, clock, topologyMs = HOUR_MS }: ZipkinOptions): ZipkinSource {
  async function traces(where: Path, abort: AbortSignal): Promise<readonly (readonly ZipkinSpan[])[]> {
    return await http.getJson(where, Traces, abort);
  }

  async function spans(query: Parameters<TraceSource["spans"]>[0], abort: AbortSignal) {
    const { window, services = [], errorsOnly = false, limit } = query;
    if (!(limit > 0)) throw new UnshipError("input.invalid", { what: "limit", reason: "it must be above 0" });
    const endTs = window.to;
    const lookback = Math.max(1, window.to - window.from) + TRACE_MS;
    const many = Math.min(limit, MAX_TRACES);
    // Traces with errors are asked for by themselves, or a busy minute of good ones would crowd them out.
    const asked = (services.length === 0 ? [""] : services).flatMap((service) => {
      const name = service.toLowerCase();
      const failed = path`/api/v2/traces?serviceName=${name}&annotationQuery=${"error"}&endTs=${endTs}&lookback=${lookback}&limit=${many}`;
      const any = path`/api/v2/traces?serviceName=${name}&endTs=${endTs}&lookback=${lookback}&limit=${many}`;
      return errorsOnly ? [failed] : [failed, any];
    });
    const answers = await Promise.all(asked.map((one) => traces(one, abort)));
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

  /**
   * Zipkin's own links; where it has none (some of its stores work them out once a day), the calls in recent traces.
   * A node that reports no spans is external: it may be a database or a third party, and cannot be rolled back.
   */
  async function topology(abort: AbortSignal): Promise<Topology> {
    const now = clock.now();
    const [links, names] = await Promise.all([
      http.getJson(path`/api/v2/dependencies?endTs=${now}&lookback=${topologyMs}`, Links, abort),
      http.getJson(path`/api/v2/services`, Names, abort),
    ]);
    const calls =
      links.length > 0
        ? links.map(({ parent, child }) => [parent, child] as const)
        : (await traces(path`/api/v2/traces?endTs=${now}&lookback=${topologyMs}&limit=${MAX_TRACES}`, abort)).flatMap(
            (trace) => callsOf(spansOf(trace)),
          );
    const edges = [
      ...new Map(
        calls.filter(([from, to]) => from !== to && from !== "" && to !== "").map((edge) => [edge.join(" "), edge]),
      ).values(),
    ].sort((a, b) => (a.join(" ") < b.join(" ") ? -1 : 1));
    const reporting = new Set(names);
    return { edges, external: [...new Set(edges.flat())].filter((name) => !reporting.has(name)).sort() };
  }

  return {
    name: http.source,
    spans,
    topology,
    async ping(abort) {
      const begun = clock.now();
      const names = await http.getJson(path`/api/v2/services`, Names, abort);
      return { services: names.length, latencyMs: clock.now() - begun };
    },
  };
}
