import type { Topology } from "../model/evidence.ts";

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
}

/** What several sources know of who calls whom, together; null where none knows. */
export function mergedTopology(graphs: readonly Topology[]): Topology | null {
  if (graphs.length === 0) return null;
  const edges = new Map(graphs.flatMap((graph) => graph.edges.map((edge) => [edge.join("\n"), edge] as const)));
  return { edges: [...edges.values()], external: [...new Set(graphs.flatMap(({ external }) => external))] };
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
  };
}
