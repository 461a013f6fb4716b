import type { CaseFile } from "../model/assessment.ts";

/** What evidence of who can reach whom is read from. */
export type Joining = Pick<CaseFile, "topology" | "changes" | "flags">;

/**
 * Services that something known joins, in disjoint sets: by calls (directly, through others, or through a callee of both,
 * external ones included), by a flag that both evaluate, or by a change that requires a version of another service.
 */
export interface Components {
  /** The set that a service stands in; the service alone where nothing known joins it to any other. */
  of(service: string): ReadonlySet<string>;
}

const known = new WeakMap<Joining, Components>();

/** Pure, and worked out once for each evidence snapshot. Work: O(edges + changes + flags). */
export function componentsOf(joining: Joining): Components {
  const found = known.get(joining) ?? newComponents(joining);
  known.set(joining, found);
  return found;
}

function newComponents({ topology, changes, flags }: Joining): Components {
  const joins = [
    ...(topology?.edges ?? []),
    ...changes.flatMap(({ service, requires }) =>
      Object.keys(requires ?? {}).map((other) => [service, other] as const),
    ),
    ...flags.flatMap(({ services }) => services.slice(1).map((one) => [services[0] ?? one, one] as const)),
    ...changes.flatMap(({ service, flag }) => {
      const evaluating = flag === undefined ? [] : (flags.find(({ key }) => key === flag)?.services ?? []);
      return evaluating.map((one) => [service, one] as const);
    }),
  ];
  const members = new Map(connectedSets(joins));
  return {
    of(service) {
      const found = members.get(service) ?? new Set([service]);
      members.set(service, found);
      return found;
    },
  };
}

/** The connected sets of an undirected graph, by each of their members; nodes without an edge have none. O(edges). */
export function connectedSets(joins: Iterable<readonly [string, string]>): ReadonlyMap<string, ReadonlySet<string>> {
  const beside = new Map<string, string[]>();
  const add = (from: string, to: string) => {
    const others = beside.get(from);
    if (others === undefined) beside.set(from, [to]);
    else others.push(to);
  };
  for (const [a, b] of joins) {
    add(a, b);
    add(b, a);
  }
  const members = new Map<string, Set<string>>();
  for (const start of beside.keys()) {
    if (members.has(start)) continue;
    const set = new Set([start]);
    const open = [start];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      members.set(next, set);
      for (const other of beside.get(next) ?? []) {
        if (set.has(other)) continue;
        set.add(other);
        open.push(other);
      }
    }
  }
  return members;
}
