import type { CallGraph } from "../correlation/call-graph.ts";
import type { KnownEdge } from "../model/evidence.ts";
import { durationText } from "../model/time.ts";

export interface LinkQuestion {
  /** The service of the change that would be rolled back. */
  readonly culprit: string;
  /** Services whose own signals are worse. */
  readonly degraded: ReadonlySet<string>;
  readonly graph: Pick<CallGraph, "callees" | "callers" | "edge">;
  /** Onset of the degradation, Unix ms: its earliest credible moment. */
  readonly onset: number;
}

/**
 * Traffic counts as measured where it was seen in the hour before the onset or later: as far as a reading of traces looks
 * back. An edge without a request for an hour carried no degradation when it began.
 */
const TRAFFIC_MS = 3_600_000;

/**
 * Why a person must agree to roll back a change whose own service is not degraded: all that links it to the degraded ones
 * runs over edges that were learned, and over some of them no traffic was measured. Such an edge (an address in a pod
 * template, a call seen last week) may hold an act, ask, or rank; it carries none alone. Null where the service is itself
 * degraded, where configured edges or measured traffic link it to one that is, or where nothing links it at all.
 */
export function unmeasuredLink({ culprit, degraded, graph, onset }: LinkQuestion): string | null {
  if (degraded.has(culprit)) return null;
  const isSound = (edge: KnownEdge) =>
    edge.source === "configured" || (edge.traffic !== undefined && edge.traffic.at >= onset - TRAFFIC_MS);
  const down = weakestTo(degraded, culprit, (one) => edgesOf(graph, one, graph.callers(one), false), isSound);
  const up = weakestTo(degraded, culprit, (one) => edgesOf(graph, one, graph.callees(one), true), isSound);
  const links = [down, up].filter((link) => link !== null).sort((a, b) => a.length - b.length);
  const [link] = links;
  if (link === undefined || link.length === 0) return null;
  const edges = link.map((edge) => edgeText(edge, onset)).join(" and ");
  return `${culprit} is not itself degraded, and ${edges}: no measured traffic links it to what is`;
}

interface Step {
  readonly to: string;
  readonly edge: KnownEdge;
}

/** The edges between a service and its callers, or its callees, with whom each leads to. */
function edgesOf(
  graph: LinkQuestion["graph"],
  from: string,
  neighbours: ReadonlySet<string>,
  areCallees: boolean,
): readonly Step[] {
  return [...neighbours].sort().flatMap((to) => {
    const edge = areCallees ? graph.edge(from, to) : graph.edge(to, from);
    return edge === null ? [] : [{ to, edge }];
  });
}

/**
 * The edges that are not sound on the way with the fewest of them from the culprit to any degraded service, in one
 * direction of calls; empty where one way is sound throughout, null where none leads there.
 */
function weakestTo(
  degraded: ReadonlySet<string>,
  culprit: string,
  steps: (from: string) => readonly Step[],
  isSound: (edge: KnownEdge) => boolean,
): readonly KnownEdge[] | null {
  // A search in which a sound edge costs nothing and any other one: rounds by the number of those passed.
  const seen = new Set<string>();
  let round: (readonly [string, readonly KnownEdge[]])[] = [[culprit, []]];
  while (round.length > 0) {
    const next: (readonly [string, readonly KnownEdge[]])[] = [];
    for (let one = round.pop(); one !== undefined; one = round.pop()) {
      const [at, weak] = one;
      if (seen.has(at)) continue;
      seen.add(at);
      if (degraded.has(at)) return weak;
      for (const { to, edge } of steps(at)) {
        if (seen.has(to)) continue;
        if (isSound(edge)) round.push([to, weak]);
        else next.push([to, [...weak, edge]]);
      }
    }
    round = next;
  }
  return null;
}

const SOURCES: Readonly<Record<KnownEdge["source"], string>> = {
  configured: "the configuration",
  mesh: "mesh metrics",
  spans: "traces",
  template: "an address in its pod template",
};

function edgeText({ caller, callee, source, traffic }: KnownEdge, onset: number): string {
  const known = `that ${caller} calls ${callee} is known from ${SOURCES[source]} alone`;
  return traffic === undefined
    ? known
    : `${known}, its last traffic ${durationText(onset - traffic.at)} before the onset`;
}
