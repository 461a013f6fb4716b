import type { Config } from "../config/config.ts";
import { mergedTopology } from "../correlation/call-graph.ts";
import { topologyFromSpans } from "../correlation/span-edges.ts";
import { type AskContext, type Asking, oneAtATime } from "../model/asking.ts";
import type { CaseFile, GapKind } from "../model/assessment.ts";
import type { InfrastructureChange } from "../model/change.ts";
import type { Alert, FlagState, LogLine, Topology } from "../model/evidence.ts";
import type { Window } from "../model/time.ts";
import type {
  AlertSource,
  FlagSource,
  InfrastructureSource,
  LogSource,
  Sources,
  TopologySource,
  TraceSource,
} from "../ports.ts";

/** Log lines and spans read before and after the onset, each; newest first where there are more. */
const LINES = 2000;
const SPANS = 2000;
const BEFORE_MS = 3_600_000;

type Context = Pick<CaseFile, "topology" | "logs" | "spans" | "spansCut" | "flags" | "alerts" | "infrastructure">;

/**
 * A call graph that its source told last is still used for so long where it tells none: services change whom they call
 * with their deploys, and spans are looked at as far back. It says who may be joined to whom and nothing of how they are.
 */
const GRAPH_KEPT_MS = BEFORE_MS;

/**
 * Reads what explains findings, from `since` on (Unix ms) and an hour before; `degraded`: the same by degraded service, for
 * sources that hold more lines than are read at once. A source that fails or is late is a gap.
 */
export type ContextReader = (
  context: AskContext,
  since: number,
  degraded?: ReadonlyMap<string, number>,
) => Promise<Context>;

/** A drift is laid at what happened up to six hours before it (see `steps.ts`); what is older is out of every window. */
const GROUND_BEFORE_MS = 6 * 3_600_000;

/**
 * Where all lines together are too many, each degraded service is asked about by itself. So many at most: with `LINES` of each,
 * before the onset and after it, that is some 128,000 lines of a few hundred bytes, and a wide cause shows in those as well.
 */
const MOST_ASKED = 32;

/** What explains findings: logs and traces about the onset, the call graph, flags and alerts; one reader a caller. */
export function createContextReader(sources: Sources, config: Config): ContextReader {
  const logs = sources.logs.map((source) => ({
    source,
    before: oneAtATime<LogAnswer>({ of: "logs", source: source.name, what: "logs before the onset" }),
    after: oneAtATime<LogAnswer>({ of: "logs", source: source.name, what: "logs" }),
  }));
  const traces = askingOf<TraceSource, SpanAnswer>(sources.traces, "traces", "spans");
  const graphs = askingOf<TopologySource, Topology>(sources.topology, "topology").map((one) => ({
    ...one,
    last: NONE,
  }));
  const flagSystems = askingOf<FlagSource, readonly FlagState[]>(sources.flags, "flags");
  const alertSources = askingOf<AlertSource, readonly Alert[]>(sources.alerts, "alerts");

  const grounds = askingOf<InfrastructureSource, readonly InfrastructureChange[]>(
    sources.infrastructure ?? [],
    "infrastructure",
  );

  const own = new Map<string, Asking<LogAnswer>>();
  /** One question about one service, of a source whose lines are too many to be read together. */
  const ownAsking = (source: LogSource, service: string, what: string): Asking<LogAnswer> => {
    const key = JSON.stringify([source.name, service, what]);
    const asking =
      own.get(key) ?? oneAtATime<LogAnswer>({ of: "logs", source: source.name, what: `${what} of ${service}` });
    own.set(key, asking);
    return asking;
  };

  async function readLogs(
    context: AskContext,
    since: number,
    degraded: ReadonlyMap<string, number>,
  ): Promise<readonly LogLine[]> {
    const { now, abort } = context;
    const search = async (
      source: LogSource,
      asking: Asking<LogAnswer>,
      window: Window,
      services?: readonly string[],
    ) => {
      const query = { window, limit: LINES, ...(services === undefined ? {} : { services }) };
      const read = await asking(context, () => source.search(query, abort));
      if (read === null) return { lines: [], more: false };
      // An answer to an earlier round may speak of times that the other question covers now.
      const { lines, more } = read.answer;
      const isOld = read.askedAt !== now;
      return { more, lines: isOld ? lines.filter(({ at }) => at >= window.from && at <= window.to) : lines };
    };
    const read = async (source: LogSource, asking: Asking<LogAnswer>, what: string, of: (from: number) => Window) => {
      const all = await search(source, asking, of(since));
      if (!all.more || degraded.size === 0) return all.lines;
      // The newest lines of all may be those of one that writes much: nobody's lines hide those of another.
      const each = await Promise.all(
        [...degraded]
          .slice(0, MOST_ASKED)
          .map(([service, from]) => search(source, ownAsking(source, service, what), of(from), [service])),
      );
      const asked = new Set([...degraded.keys()].slice(0, MOST_ASKED));
      return [...all.lines.filter(({ service }) => !asked.has(service)), ...each.flatMap(({ lines }) => lines)];
    };
    const found = await Promise.all(
      logs.flatMap(({ source, before, after }) => [
        read(source, before, "logs before the onset", (from) => ({ from: Math.max(0, from - BEFORE_MS), to: from })),
        read(source, after, "logs", (from) => ({ from, to: now })),
      ]),
    );
    return found.flat().sort((a, b) => a.at - b.at);
  }

  async function readGraphs(context: AskContext): Promise<readonly Topology[]> {
    const found = await Promise.all(
      graphs.map(async (one) => {
        const read = await one.asking(context, () => one.source.topology(context.abort));
        one.last = read === null ? keptGraph(one.last) : { graph: read.answer, at: read.askedAt };
        return context.now - one.last.at <= GRAPH_KEPT_MS ? one.last.graph : null;
      }),
    );
    return found.filter((graph) => graph !== null);
  }

  return async (context, since, degraded = new Map()) => {
    const { now, abort } = context;
    const after = { from: since, to: now };
    const ground = { from: Math.max(0, since - GROUND_BEFORE_MS), to: now };
    const [lines, spans, known, flags, alerts, infrastructure] = await Promise.all([
      readLogs(context, since, degraded),
      Promise.all(
        traces.map(({ source, asking }) => asking(context, () => source.spans({ window: after, limit: SPANS }, abort))),
      ),
      readGraphs(context),
      Promise.all(flagSystems.map(({ source, asking }) => asking(context, () => source.flags(abort)))),
      Promise.all(alertSources.map(({ source, asking }) => asking(context, () => source.alerts(after, abort)))),
      Promise.all(grounds.map(({ source, asking }) => asking(context, () => source.infrastructure(ground, abort)))),
    ]);
    const allSpans = spans.flatMap((read) => read?.answer.spans ?? []);
    const named = [config.topology, ...known, topologyFromSpans(allSpans, after)].filter((graph) => graph !== null);
    return {
      logs: lines,
      spans: allSpans,
      ...(spans.some((read) => read?.answer.more === true) ? { spansCut: true as const } : {}),
      topology: mergedTopology(named),
      flags: flags.flatMap((read) => read?.answer ?? []),
      alerts: alerts.flatMap((read) => read?.answer ?? []),
      infrastructure: infrastructure
        .flatMap((read) => read?.answer ?? [])
        .toSorted((a, b) => a.startedAt - b.startedAt || (a.id < b.id ? -1 : 1)),
    };
  };
}

type LogAnswer = Awaited<ReturnType<LogSource["search"]>>;
type SpanAnswer = Awaited<ReturnType<TraceSource["spans"]>>;

/**
 * The graph as it is kept: its edges join and rank. No traffic is measured over them any more, so that none carries an act,
 * and nobody would see a new call: what a service calls is no longer known by it.
 */
function keptGraph({ graph, at }: typeof NONE): typeof NONE {
  if (graph === null) return { graph, at };
  const { details, reporting: _, ...kept } = graph;
  const known = details?.map(({ caller, callee, source, confidence }) => ({ caller, callee, source, confidence }));
  return { graph: { ...kept, ...(known === undefined ? {} : { details: known }) }, at };
}

const NONE: { readonly graph: Topology | null; readonly at: number } = { graph: null, at: 0 };

function askingOf<S extends { readonly name: string }, T>(sources: readonly S[], of: GapKind, what: string = of) {
  return sources.map((source) => ({ source, asking: oneAtATime<T>({ of, source: source.name, what }) }));
}
