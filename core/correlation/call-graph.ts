import type { KnownEdge, Topology } from "../model/evidence.ts";
import { edgeKey } from "../model/seen-edge.ts";
import { knownEdges, stronger } from "./known-edges.ts";

/** Who calls whom, with what follows from it. Services that no edge names are known by their signals alone. */
export interface CallGraph {
  readonly known: boolean;
  readonly external: ReadonlySet<string>;
  callees(service: string): ReadonlySet<string>;
  callers(service: string): ReadonlySet<string>;
  /** Everything that calls it, directly or through others; never itself. */
  ancestors(service: string): ReadonlySet<string>;
  /** Everything that an edge names. */
  readonly nodes: ReadonlySet<string>;
  /** Services that nobody calls: where users come in. */
  readonly entries: ReadonlySet<string>;
  /** What is known of the edge between the two; null where there is none. */
  edge(caller: string, callee: string): KnownEdge | null;
}

/**
 * What several sources know of who calls whom, together; null where none knows. An edge that several know is as sure
 * as the surest of them says, and its traffic is the latest measurement. A node is external only where no other source
 * sees it report, unless people configured it so.
 */
export function mergedTopology(graphs: readonly Topology[]): Topology | null {
  if (graphs.length === 0) return null;
  const edges = new Map(graphs.flatMap((graph) => graph.edges.map((edge) => [edgeKey(...edge), edge] as const)));
  const details = new Map<string, KnownEdge>();
  for (const [key, edge] of graphs.flatMap((graph) => [...knownEdges(graph)])) {
    const before = details.get(key);
    details.set(key, before === undefined ? edge : stronger(before, edge));
  }
  const reporting = new Set(graphs.flatMap((graph) => graph.reporting ?? []));
  const told = [...details.values()].filter((edge) => edge.source !== "configured" || edge.traffic !== undefined);
  const seenElsewhere = (node: string, by: Topology): boolean =>
    graphs.some((graph) => graph !== by && graph.reporting?.includes(node) === true);
  const external = graphs.flatMap((graph) =>
    graph.external.filter((node) => graph.reporting === undefined || !seenElsewhere(node, graph)),
  );
  return {
    edges: [...edges.values()],
    external: [...new Set(external)],
    ...(told.length === 0 ? {} : { details: told }),
    ...(reporting.size === 0 ? {} : { reporting: [...reporting].sort() }),
  };
}

const NONE: ReadonlySet<string> = new Set();

export function createCallGraph(topology: Topology | null): CallGraph {
  const callees = new Map<string, Set<string>>();
  const callers = new Map<string, Set<string>>();
  const add = (map: Map<string, Set<string>>, from: string, to: string) => {
    const set = map.get(from) ?? new Set();
    set.add(to);
    map.set(from, set);
  };
  for (const [caller, callee] of topology?.edges ?? []) {
    add(callees, caller, callee);
    add(callers, callee, caller);
  }
  let details: ReadonlyMap<string, KnownEdge> | null = null;
  const memo = new Map<string, ReadonlySet<string>>();
  const ancestors = (service: string): ReadonlySet<string> => {
    const known = memo.get(service);
    if (known !== undefined) return known;
    const found = new Set<string>();
    const open = [...(callers.get(service) ?? [])];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      if (found.has(next) || next === service) continue;
      found.add(next);
      open.push(...(callers.get(next) ?? []));
    }
    memo.set(service, found);
    return found;
  };
  return {
    known: topology !== null && topology.edges.length > 0,
    external: new Set(topology?.external ?? []),
    callees: (service) => callees.get(service) ?? NONE,
    callers: (service) => callers.get(service) ?? NONE,
    ancestors,
    nodes: new Set([...callees.keys(), ...callers.keys()]),
    entries: new Set([...callees.keys()].filter((service) => !callers.has(service))),
    edge: (caller, callee) => {
      details ??= topology === null ? new Map() : knownEdges(topology);
      return details.get(edgeKey(caller, callee)) ?? null;
    },
  };
}
