import type { Config } from "../config/config.ts";
import { mergedTopology } from "../correlation/call-graph.ts";
import { componentsOf } from "../correlation/components.ts";
import { topologyFromSpans } from "../correlation/span-edges.ts";
import { type AskContext, oneAtATime } from "../model/asking.ts";
import type { CaseFile, GapKind } from "../model/assessment.ts";
import type { Change, InfrastructureChange } from "../model/change.ts";
import type { Alert, FlagState, Topology } from "../model/evidence.ts";
import type { AlertSource, FlagSource, InfrastructureSource, Sources, TopologySource, TraceSource } from "../ports.ts";
import { createLogReader } from "./read-logs.ts";

/** Spans read after the onset; newest first where there are more. */
const SPANS = 2000;
const BEFORE_MS = 3_600_000;

type Context = Pick<CaseFile, "topology" | "logs" | "spans" | "spansCut" | "flags" | "alerts" | "infrastructure">;

/**
 * A call graph that its source told last is still used for so long where it tells none: services change whom they call
 * with their deploys, and spans are looked at as far back. It says who may be joined to whom and nothing of how they are.
 */
const GRAPH_KEPT_MS = BEFORE_MS;

/** Whose logs are read by themselves where a source holds more lines than are read at once. */
export interface Degraded {
  /** By degraded service: from when on evidence about it is read, Unix ms. */
  readonly since: ReadonlyMap<string, number>;
  /** Changes that may join services: one requires a version of another, or switches a flag. */
  readonly changes: readonly Change[];
}

const NOBODY: Degraded = { since: new Map(), changes: [] };

/**
 * Reads what explains findings, from `since` on (Unix ms) and an hour before. A source that fails or is late is a gap.
 */
export type ContextReader = (context: AskContext, since: number, degraded?: Degraded) => Promise<Context>;

/** A drift is laid at what happened up to six hours before it (see `steps.ts`); what is older is out of every window. */
const GROUND_BEFORE_MS = 6 * 3_600_000;

/** What explains findings: logs and traces about the onset, the call graph, flags and alerts; one reader a caller. */
export function createContextReader(sources: Sources, config: Config): ContextReader {
  const logs = sources.logs.map((source) => createLogReader(source));
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

  return async (context, since, degraded = NOBODY) => {
    const { now, abort } = context;
    const after = { from: since, to: now };
    const ground = { from: Math.max(0, since - GROUND_BEFORE_MS), to: now };
    const [first, spans, known, flags, alerts, infrastructure] = await Promise.all([
      Promise.all(logs.map((reader) => reader.first(context, since))),
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
    const topology = mergedTopology(named);
    const states = flags.flatMap((read) => read?.answer ?? []);
    const components = componentsOf({ topology, changes: degraded.changes, flags: states });
    const lines = await Promise.all(
      logs.map((reader, i) => reader.rest(context, first[i] ?? [], degraded.since, components)),
    );
    return {
      logs: lines.flat().sort((a, b) => a.at - b.at),
      spans: allSpans,
      ...(spans.some((read) => read?.answer.more === true) ? { spansCut: true as const } : {}),
      topology,
      flags: states,
      alerts: alerts.flatMap((read) => read?.answer ?? []),
      infrastructure: infrastructure
        .flatMap((read) => read?.answer ?? [])
        .toSorted((a, b) => a.startedAt - b.startedAt || (a.id < b.id ? -1 : 1)),
    };
  };
}

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
