import type { EdgeSource, KnownEdge, Topology } from "../model/evidence.ts";
import { edgeKey } from "../model/seen-edge.ts";

/** What is known of every edge, by `edgeKey`: one entry each, also for those of which the topology says no more. */
export function knownEdges({ edges, details = [] }: Topology): ReadonlyMap<string, KnownEdge> {
  const known = new Map(details.map((edge) => [edgeKey(edge.caller, edge.callee), edge]));
  return new Map(
    edges.map(([caller, callee]) => {
      const key = edgeKey(caller, callee);
      return [key, known.get(key) ?? { caller, callee, source: "configured", confidence: 1 }];
    }),
  );
}

/** The order in which one source's word stands for an edge that two are equally sure of. */
const RANK: Readonly<Record<EdgeSource, number>> = { configured: 3, mesh: 2, spans: 1, template: 0 };

/** Two reports of one edge as one: the surer source and its confidence, the latest measured traffic of either. */
export function stronger(a: KnownEdge, b: KnownEdge): KnownEdge {
  const surer = b.confidence - a.confidence || RANK[b.source] - RANK[a.source];
  const { caller, callee, source, confidence } = surer > 0 ? b : a;
  const later =
    (b.traffic?.at ?? 0) - (a.traffic?.at ?? 0) || (b.traffic?.perSecond ?? 0) - (a.traffic?.perSecond ?? 0);
  const traffic = later > 0 ? b.traffic : a.traffic;
  return { caller, callee, source, confidence, ...(traffic === undefined ? {} : { traffic }) };
}

/**
 * Whether all that a service calls is known: its callees, or that it calls nothing. False is unknown, and then a fault
 * of something that it calls cannot be told from a fault of its own by time alone. True where
 *
 * - a source of learned edges would show its calls, for it reports spans or a proxy counts for it; or
 * - people's graph has edges out of it; or
 * - people's graph has it as a leaf, beside a caller that is measured (`measured`: a graph of nothing but what nobody
 *   measures tells no fault of the service from one of theirs), and nothing speaks against a leaf: a pod template of the
 *   service that holds an address which the graph leaves out shows that it was not thought of.
 *
 * Whether those that it calls were measured at the time in question is asked by `unseenCallees`: who calls it says nothing
 * of them.
 *
 * It depends on edges at the service alone: what is known or unknown elsewhere changes nothing (S16). An external node
 * runs nothing of which anyone could know.
 */
export function calleesKnown(
  topology: Topology | null,
  service: string,
  measured: (service: string) => boolean = () => true,
): boolean {
  if (topology === null) return false;
  const isSeen = topology.reporting?.includes(service) === true && !topology.external.includes(service);
  const callees = topology.edges.some(([caller]) => caller === service);
  const callers = topology.edges.flatMap(([caller, callee]) => (callee === service ? [caller] : []));
  if (!isSeen && !callees && !callers.some(measured)) return false;
  const known = KNOWN.get(topology) ?? withCalleesKnown(topology);
  KNOWN.set(topology, known);
  return known.has(service);
}

/** One topology is asked about many services. */
const KNOWN = new WeakMap<Topology, ReadonlySet<string>>();

function withCalleesKnown(topology: Topology): ReadonlySet<string> {
  const edges = [...knownEdges(topology).values()];
  const configured = edges.filter(({ source }) => source === "configured");
  const callers = new Set(configured.map(({ caller }) => caller));
  const anyCaller = new Set(edges.map(({ caller }) => caller));
  const leaves = configured.map(({ callee }) => callee).filter((callee) => !anyCaller.has(callee));
  const known = new Set([...(topology.reporting ?? []), ...callers, ...leaves]);
  for (const node of topology.external) known.delete(node);
  return known;
}
