import type { CallGraph } from "./call-graph.ts";
import type { OriginInput } from "./origin.ts";

/**
 * Chances that a service is hurt, given where it starts: nearly always at the origin itself; at a caller often, if what
 * it calls is hurt (it may retry, cache or not need the answer); at a callee seldom (a caller can send bad requests),
 * unless the callee is seen to be asked far more often: then as often as not, and whoever else calls it suffers with it.
 * Orders of magnitude, not fits: only their ratios between origins matter.
 */
const HURT = { itself: 0.98, caller: 0.7, callee: 0.02, overloaded: 0.5 } as const;
/** The chance that a service is hurt while one that it calls is. */
export const HURT_AS_CALLER: number = HURT.caller;
/** A service in between that nobody measures passes trouble on as often as not. */
const UNMEASURED = 0.7;
/** Where it shows only at those that deal with its service, each of them may be hurt, or not: they use different parts of what it offers. */
const CONSUMER = { callers: 0.5, callees: 0.3 } as const;
/** Something that many share reaches a share of them that nobody knows: every share alike. Without a graph as well. */
const NO_GRAPH = 0.35;
/**
 * A node that reports no calls of its own (a load balancer, a proxy, a client-side view) may stand between a caller and
 * a service that both call: call graphs miss the edges of whoever is not traced. One such node in ten is taken for one.
 */
const MISSING_EDGE = 0.1;
/** The chance that trouble comes to a service from another one that it calls by an edge that nobody knows. */
export const HURT_BY_MISSING_EDGE: number = MISSING_EDGE * HURT.caller;
/** Nothing is so rare that it can be ruled out. */
const LEAST_CHANCE = 2e-4;
/** A caller whose onset lies as far apart as half of all that would meet by chance suffers from something else more often than not. */
const APART = { chance: 0.5, suffers: 0.3 } as const;

/** Where trouble shows: at the service where it starts, or only at those that deal with it. */
export type Shows = "itself" | "callers" | "callees" | "both";

/** What of the failing of the service where it starts comes to its callers, by where it shows. */
const CARRIES_ITSELF: Readonly<Record<Shows, number>> = {
  itself: 1,
  callers: CONSUMER.callers / HURT.caller,
  callees: 0,
  both: CONSUMER.callers / HURT.caller,
};

/**
 * The chance of each service to be hurt, in the order of `services`, for a rate of unrelated troubles. One list for all
 * rates and places: it stands until the next one is asked for.
 */
type Chances = (rate: number) => Float64Array;

/** Asked for each place where it may start; who calls whom is put in numbers once, since a system has many places. */
export type HurtChances = (origin: string, shows: Shows, flooded: readonly string[]) => Chances;

/**
 * The chance of each of `services` to be hurt, given where trouble starts and shows, and whom it floods. Work for one
 * place: as many steps as there are calls in the graph.
 */
export function createHurtChances(
  { graph, harm, together, creeping }: Pick<OriginInput, "graph" | "harm" | "together" | "creeping">,
  services: readonly string[],
): HurtChances {
  const { numberOf, callees, ancestors, size } = numbered(graph, services);
  const when = services.map(together);
  const found = new Float64Array(services.length);
  const passes = new Float64Array(size).fill(UNMEASURED);
  for (const [service, nats] of harm) passes[numberOf(service)] = 1 / (1 + Math.exp(-nats));

  return (origin, shows, flooded) => {
    const own = graph.callees(origin);
    const readers = new Set(shows === "itself" ? flooded : shows === "callers" ? [] : own);
    const suffering = new Uint8Array(size);
    for (const above of [...(shows === "callees" ? [] : [origin]), ...readers])
      for (const one of ancestors(above)) suffering[one] = 1;
    const carried = new Float64Array(size);
    for (let i = 0; i < size; i++) if (suffering[i] === 1) carried[i] = passes[i] ?? 0;
    for (const reader of readers) carried[numberOf(reader)] = passes[numberOf(reader)] ?? 0;
    carried[numberOf(origin)] = CARRIES_ITSELF[shows];

    const because = (service: string, i: number): number => {
      if (creeping || service === origin) return 0; // asked only where it shows at others alone
      if (!graph.known) return NO_GRAPH; // nobody knows who calls whom: anyone may suffer
      if (readers.has(service)) return shows === "itself" ? HURT.overloaded : CONSUMER.callees;
      if (suffering[i] === 1) {
        let most = 0;
        for (const callee of callees[i] ?? []) most = Math.max(most, carried[callee] ?? 0);
        return HURT.caller * most;
      }
      if (own.has(service)) return HURT.callee;
      return (callees[i]?.length ?? 0) === 0 && isHop(graph, service, origin) ? HURT_BY_MISSING_EDGE : 0;
    };
    const suffers = Float64Array.from(services, (service, i) => {
      if (service === origin && shows === "itself") return IS_ORIGIN;
      return because(service, i) * ((when[i] ?? 1) >= APART.chance ? APART.suffers : 1);
    });
    return (rate) => {
      for (let i = 0; i < suffers.length; i++) {
        const chance = suffers[i] ?? 0;
        found[i] =
          chance === IS_ORIGIN ? HURT.itself : Math.max(LEAST_CHANCE, chance + (1 - chance) * rate * (when[i] ?? 1));
      }
      return found;
    };
  };
}

/** Stands where a chance would: it is where it starts. */
const IS_ORIGIN = -1;

/** The call graph by numbers: the services first, in their order, then whoever else an edge names; -1: no such node. */
function numbered(graph: CallGraph, services: readonly string[]) {
  const names = [...new Set([...services, ...graph.nodes])];
  const numbers = new Map(names.map((name, i) => [name, i]));
  const all = (of: ReadonlySet<string>) => Int32Array.from(of, (one) => numbers.get(one) ?? 0);
  const above = new Map<string, Int32Array>();
  return {
    size: names.length,
    numberOf: (name: string) => numbers.get(name) ?? -1,
    callees: services.map((service) => all(graph.callees(service))),
    ancestors: (name: string): Int32Array => {
      const known = above.get(name) ?? all(graph.ancestors(name));
      above.set(name, known);
      return known;
    },
  };
}

/** The chance that a service is hurt by what the services that it calls fail or delay, as far as these are hurt. */
export function hurtByCallees(graph: CallGraph, harm: ReadonlyMap<string, number>, service: string): number {
  if (!graph.known) return NO_GRAPH;
  let most = 0;
  for (const callee of graph.callees(service))
    if (callee !== service) most = Math.max(most, 1 / (1 + Math.exp(-(harm.get(callee) ?? Number.NEGATIVE_INFINITY))));
  return Math.max(LEAST_CHANCE, HURT.caller * most);
}

/** Whether a node that calls nobody, as far as is known, may be a way to the origin: they share a caller. */
function isHop(graph: CallGraph, service: string, origin: string): boolean {
  if (graph.callees(service).size > 0 || graph.callees(origin).size === 0) return false;
  return [...graph.callers(service)].some((caller) => graph.callees(caller).has(origin));
}
