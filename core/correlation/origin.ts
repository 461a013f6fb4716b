import { logAdd, logSumExp } from "../detection/robust.ts";
import type { CallGraph } from "./call-graph.ts";
import type { Demand } from "./demand.ts";
import { createHurtChances, type HurtChances, type Shows } from "./hurt-chances.ts";
import type { NewSignature } from "./log-evidence.ts";
import { type OwnExcess, ownNats, ownNatsAt } from "./own-excess.ts";
import type { Refused } from "./refused.ts";
import { REACH, SLOW_BESIDE, type Slowness } from "./slowness.ts";
import type { SpanEvidence } from "./span-evidence.ts";
import { type Strain, sharedFit, strainFit } from "./strain.ts";
import { riseByChance } from "./surge.ts";
import { UNRELATED } from "./unrelated.ts";

/** Where trouble could start: a service, an external dependency, something that many share, or too many users. */
export type OriginKind = "service" | "external" | "shared" | "surge";
/** Where trouble starts if no change is to blame. Externals share theirs; without any it falls to the services. */
export const ELSEWHERE = { service: 0.45, external: 0.35, shared: 0.1, surge: 0.1 } as const;
export interface Origin {
  readonly name: string;
  readonly kind: OriginKind;
  /** Log probability of what is seen, given that it starts there. */
  readonly fit: number;
  /** Of a service: the same, given that it starts there and shows only at those that deal with it; see `SHOWS`. */
  readonly atConsumers: number;
  /** `fit` from the pattern of hurt services alone, and from logs and traces alone. */
  readonly pattern: number;
  readonly told: number;
  /** Part of both fits: log chance of the demand at the onset that it does not bring; 0 where there is none, or it does. */
  readonly demand: number;
}

/**
 * Where trouble shows that starts at a service: mostly at the service itself; else only at its callers, which cannot use
 * its answers or do not get through to it, only at those that it calls or sends events to, which cannot use what they
 * get, or at both. A fifth of the incidents that software bugs caused in a large cloud were of one component that assumed
 * another format of data than its peer wrote; about half of these show at the writer as well.
 * @see Liu, Lu, Musuvathi & Nath (2019), "What Bugs Cause Production Cloud Incidents?", HotOS, §3 (data-format bugs)
 */
const SHOWS: Readonly<Record<Shows, number>> = { itself: 0.9, callers: 0.06, callees: 0.02, both: 0.02 };
/** New errors of consumers name the service more often than not; a service that nobody gets through to is asked less. */
const NAMED_NATS = Math.log(6);
const STARVED_NATS = Math.log(3);

export interface OriginInput {
  readonly graph: CallGraph;
  /** Log Bayes factors of "hurt" by service. */
  readonly harm: ReadonlyMap<string, number>;
  /** The same as evidence that the trouble starts there. */
  readonly atOrigin: ReadonlyMap<string, number>;
  /** What a slowness beside the trouble may explain; null where it could explain nothing by itself. */
  readonly slowness: ReadonlyMap<string, Slowness> | null;
  readonly signatures: readonly NewSignature[];
  readonly spans: SpanEvidence | null;
  readonly surge: number | null;
  /** Of services where users come in: whether what fails there came in addition to what is usually asked. */
  readonly refused: ReadonlyMap<string, Refused>;
  /** Requests that are seen over the usual ones, where fewer are seen of nearly everybody and nothing else is worse. */
  readonly fewer: number | null;
  /** The use of a resource that creeps up: no caller's use follows it, and no error belongs to it yet. */
  readonly creeping: boolean;
  readonly own: OwnExcess | null;
  /** Callees that are asked more often than their callers' traffic explains, with the callers that may do it. */
  readonly overloaded: ReadonlyMap<string, ReadonlySet<string>>;
  /** Degraded services that are asked far more since the onset than they ever served. */
  readonly demand: ReadonlyMap<string, Demand>;
  /** Callees that are asked less often although their callers are not. */
  readonly starved: ReadonlySet<string>;
  /** Whose requests cost more than before; null where nobody's do, or that is not measured. */
  readonly strain: Strain | null;
  /** Log likelihood ratios of services that failed a few requests when it began; see `onsetBursts`. */
  readonly bursts: ReadonlyMap<string, number>;
  /** Services whose traffic is measured: of others nobody can tell whether they are flooded. */
  readonly counted: ReadonlySet<string>;
  /** Chance that an unrelated trouble of this service, once there is one, begins when it is seen to begin; 1: apart. */
  readonly together: (service: string) => number;
}

export function fitOrigins(input: OriginInput): readonly Origin[] {
  const seen = seenOf(input);
  const external = [...input.graph.external].filter((name) => !input.harm.has(name)).sort();
  // Who is in the graph may be where it starts although nobody measures it: its callers show it.
  const services = [...new Set([...input.harm.keys(), ...input.graph.nodes])]
    .filter((name) => !external.includes(name))
    .sort();
  const fall = fallBeside(input);
  const surge = surgeBeside(input);
  const make = (name: string, kind: OriginKind, pattern: number): Origin => {
    const place = kind === "service" || kind === "external";
    const told = place ? toldAt(name, input, floodedBy(input, name)) : 0;
    const demand = kind === "surge" ? 0 : unexplainedDemand(input, name);
    const traffic = demand + (kind === "surge" ? (input.surge === null ? Math.log(0.1) : Math.log(0.9)) + fall : surge);
    const fit = pattern + told + traffic;
    if (kind !== "service") return { name, kind, pattern, told, demand, atConsumers: Number.NEGATIVE_INFINITY, fit };
    const floods = Math.log(FLOODS_UNSEEN) + floodsFit(input, seen, name) + traffic;
    const atItself = Math.log(SHOWS.itself) + logAdd(fit, floods);
    const atConsumers = consumersFit(input, seen, name) + traffic;
    return { name, kind, pattern, told, demand, atConsumers, fit: atItself };
  };
  const reached = REACH.map(
    (share) => patternFit(seen, new Float64Array(seen.nats.length).fill(share)) - Math.log(REACH.length),
  );
  const spread = logSumExp(reached);
  const shared = sharedFit(input.strain, input.graph, spread, input.harm, REACH);
  const slowed = spread + seen.strainAt(null);
  const places = services.map((name) => make(name, "service", startsAt(input, seen, name)));
  // Too many users slow everything, or saturate the weakest service, whichever it is: then it looks as if it began there.
  const weakest = logSumExp(places.map(({ pattern, told }) => pattern + told)) - Math.log(Math.max(1, places.length));
  return [
    ...places,
    ...external.map((name) => make(name, "external", startsAt(input, seen, name))),
    make("shared infrastructure", "shared", shared),
    make("more traffic", "surge", logSumExp([slowed, weakest]) - Math.LN2),
    ...(input.fewer === null ? [] : [FEWER]),
    ...places.flatMap((one) => clientsOf(one, input.refused.get(one.name))),
    ...places.filter(({ name }) => input.demand.has(name)).map((one) => moreRequestsTo(one, seen)),
  ];
}

/**
 * Who sends them is not seen. What they do to a service looks as if it began there, but that their number explains it: a
 * request costs no more for that, unless dearer ones are asked.
 */
function moreRequestsTo({ name, pattern, told }: Origin, seen: Seen): Origin {
  const place = pattern - seen.strainAt(name) + seen.strainAt(null, name);
  return asSurge(`more requests to ${name}`, place, told, place + told + Math.log(0.9));
}

/** What users or clients do: it shows at no consumers of a service, and it is the demand itself. */
const asSurge = (name: string, pattern: number, told: number, fit: number): Origin => ({
  name,
  kind: "surge",
  pattern,
  told,
  demand: 0,
  fit,
  atConsumers: Number.NEGATIVE_INFINITY,
});

/**
 * Log chance of the demand that trouble which starts here does not bring: it brings what it floods, and what comes to others since nobody gets
 * answers here. One rise of several is asked for: along calls they are one.
 */
function unexplainedDemand({ demand, overloaded }: OriginInput, name: string): number {
  const met = [...demand].filter(
    ([service, { from }]) => overloaded.get(service)?.has(name) !== true && !from.includes(name),
  );
  return met.length === 0 ? 0 : Math.max(...met.map(([, { nats }]) => nats));
}

/** What a client does to a service looks as if it began there, but for the requests that it adds. */
function clientsOf(place: Origin, refused: Refused | undefined): readonly Origin[] {
  if (refused === undefined) return [];
  const { name, pattern, told } = place;
  return [asSurge(`clients of ${name}`, pattern, told, place.fit + refused.nats)];
}

/** Then all that is seen is that. */
const FEWER: Origin = asSurge("fewer requests", 0, 0, Math.log(0.9));

/** Log probability of the traffic that is seen, where something else than more or fewer users is to blame. */
const surgeBeside = (input: OriginInput): number =>
  (input.surge === null ? Math.log(0.99) : riseByChance(input.surge)) + fallBeside(input);
const fallBeside = ({ fewer }: OriginInput): number => (fewer === null ? 0 : riseByChance(1 / fewer));

/** The pattern given an origin, whatever the rate of unrelated troubles. */
function startsAt(
  input: OriginInput,
  seen: Seen,
  name: string,
  shows: Shows = "itself",
  flooded: readonly string[] = floodedBy(input, name),
): number {
  const chances = seen.chances(name, shows, flooded);
  const origins = shows === "itself" ? placesOf(seen, [name]) : [];
  return (
    seen.strainAt(name) +
    logSumExp(UNRELATED.map(({ rate, weight }) => Math.log(weight) + patternFit(seen, chances(rate), origins)))
  );
}

const placesOf = ({ placeOf }: Seen, names: readonly string[]): readonly number[] =>
  names.flatMap((name) => placeOf.get(name) ?? []);

/**
 * Log probability of what is seen, given that it starts at each of these services at once and shows there, as where one act
 * changed all of them; comparable with `Origin.fit`. Each is degraded by whichever of them reaches it, or by chance.
 */
export function fitTogether(input: OriginInput, names: readonly string[]): number {
  const [first, ...others] = names;
  if (first === undefined) return Number.NEGATIVE_INFINITY;
  const seen = seenOf(input);
  const origins = placesOf(seen, names);
  const each = names.map((name) => seen.chances(name, "itself", floodedBy(input, name)));
  const patterns = UNRELATED.map(({ rate, weight }) => {
    // What meets by chance is counted once, whatever the number of places.
    const spared = each.map((chances, i) => chances(i === 0 ? rate : 0).map((chance) => 1 - chance));
    const chances = Float64Array.from(seen.nats, (_, i) => 1 - spared.reduce((rest, one) => rest * (one[i] ?? 1), 1));
    return Math.log(weight) + patternFit(seen, chances, origins);
  });
  const flooded = [...new Set(names.flatMap((name) => floodedBy(input, name)))];
  const strain = Math.max(...names.map((name) => seen.strainAt(name)));
  const told = toldAt(first, input, [...others, ...flooded], flooded.length > 0);
  return Math.log(SHOWS.itself) + strain + logSumExp(patterns) + told + surgeBeside(input);
}

/**
 * What is seen, given that it starts at a service that floods one of its callees, which one is not known: of those that are
 * hurt and whose traffic is not measured. Impossible where there is none.
 */
function floodsFit(input: OriginInput, seen: Seen, name: string): number {
  const { graph, harm, counted, creeping } = input;
  const callees = [...graph.callees(name)].filter((one) => one !== name);
  const may = creeping ? [] : callees.filter((one) => (harm.get(one) ?? 0) > 0 && !counted.has(one));
  const each = may.map((one) => startsAt(input, seen, name, "itself", [one]) + toldAt(name, input, [one], false));
  return logSumExp(each) - Math.log(Math.max(1, callees.length));
}

/** What logs, traces and excesses tell of a place, with the callees that it floods; see `toldOf` and `ownNats`. */
const toldAt = (name: string, input: OriginInput, flooded: readonly string[], seen = true): number =>
  toldOf(name, input, flooded) +
  ownNats(input.own, input.graph, name, flooded) -
  (!seen && flooded.length > 0 ? FLOODS_NATS : 0);

/**
 * What is seen, given that it starts at a service and shows only at its consumers; never where nobody knows who calls
 * whom, where it creeps, or where the service is not measured (that it shows at its callers is then no sign).
 */
function consumersFit(input: OriginInput, seen: Seen, name: string): number {
  const { graph, creeping, own, harm, starved } = input;
  if (!graph.known || creeping || !harm.has(name)) return Number.NEGATIVE_INFINITY;
  const modes = (["callers", "callees", "both"] as const).map((shows) => {
    const consumers = consumersOf(graph, name, shows);
    if (consumers.length === 0) return Number.NEGATIVE_INFINITY;
    const asked = shows !== "callees" && starved.has(name) ? STARVED_NATS : 0;
    const burst = input.bursts.get(name) ?? 0;
    const told = ownNatsAt(own, consumers) + toldByConsumers(input, name, consumers) + asked + burst;
    return Math.log(SHOWS[shows]) + startsAt(input, seen, name, shows) + told;
  });
  return logSumExp(modes);
}

/** Those that deal with a service, on the side where it shows; empty where it would be no other case than one side alone. */
function consumersOf(graph: CallGraph, name: string, shows: Exclude<Shows, "itself">): readonly string[] {
  const [callers, callees] = [graph.callers(name), graph.callees(name)];
  if (shows === "both" && (callers.size === 0 || callees.size === 0)) return [];
  const meant = [...(shows === "callees" ? [] : callers), ...(shows === "callers" ? [] : callees)];
  return [...new Set(meant)].filter((one) => one !== name);
}

/** New errors of consumers, and their part in what traces show, speak for it. */
function toldByConsumers({ signatures, spans }: OriginInput, name: string, consumers: readonly string[]): number {
  const theirs = signatures.filter(({ service }) => consumers.includes(service));
  const named = theirs.some(({ names }) => names.includes(name));
  const unnamed = theirs.some(({ names, complains }) => names.length === 0 && !complains);
  const share = spans === null ? null : consumers.reduce((sum, place) => sum + (spans.shares.get(place) ?? 0), 0);
  return (named ? NAMED_NATS : unnamed ? OWN_ERROR_NATS / 2 : 0) + (share === null ? 0 : fromSpans(share));
}

/** Whom this one may have flooded: their excess is its doing. */
const floodedBy = ({ overloaded }: OriginInput, name: string): readonly string[] =>
  [...overloaded].filter(([, callers]) => callers.has(name)).map(([callee]) => callee);

/** What is seen of each service, whatever the origin: log Bayes factors. In arrays, since each place is held against all of it. */
interface Seen {
  readonly placeOf: ReadonlyMap<string, number>;
  readonly nats: Float64Array;
  readonly asOrigin: Float64Array;
  readonly blamed: Float64Array;
  /** Of services that what is to blame does not reach, for each share of `REACH` that a slowness beside it does. */
  readonly spared: readonly Float64Array[];
  /** Whether a slowness beside the trouble could explain anything. */
  readonly slowness: boolean;
  /** How likely each of them is to be hurt, given where it starts. */
  readonly chances: HurtChances;
  /** Log probability of whose requests cost more, given where it starts; null: at none of them. Worked out once a place. `asked`: who is asked more by somebody outside. */
  readonly strainAt: (origin: string | null, asked?: string) => number;
  readonly logs: Logs;
}

/** Of the place in hand, written anew for each: log chances of each service to be hurt, to be well, and to be hurt and seen as it is. */
interface Logs {
  readonly hurt: Float64Array;
  readonly well: Float64Array;
  readonly reached: Float64Array;
}

function seenOf(input: OriginInput): Seen {
  const { harm, atOrigin, slowness } = input;
  const all = [...harm];
  const services = all.map(([service]) => service);
  const strained = new Map<string | null, number>();
  const strainAt: Seen["strainAt"] = (origin, asked) => {
    if (asked !== undefined) return strainFit(input.strain, input.graph, origin, asked);
    const found = strained.get(origin) ?? strainFit(input.strain, input.graph, origin);
    strained.set(origin, found);
    return found;
  };
  return {
    placeOf: new Map(services.map((service, i) => [service, i])),
    nats: Float64Array.from(all, ([, nats]) => nats),
    asOrigin: Float64Array.from(all, ([service, nats]) => atOrigin.get(service) ?? nats),
    blamed: Float64Array.from(all, ([service, nats]) => slowness?.get(service)?.blamed ?? nats),
    spared: REACH.map((reach) =>
      Float64Array.from(services, (service) =>
        logAdd(Math.log(reach) + (slowness?.get(service)?.slow ?? 0), Math.log(1 - reach)),
      ),
    ),
    slowness: slowness !== null,
    chances: createHurtChances(input, services),
    strainAt,
    logs: {
      hurt: new Float64Array(all.length),
      well: new Float64Array(all.length),
      reached: new Float64Array(all.length),
    },
  };
}

/**
 * Log probability of the hurt services given where it starts, over what else may be going on: nothing, or a shared
 * slowness beside it that reaches an unknown share of the services. Two troubles at once are then weighed as such,
 * instead of one being stretched over both. `chances[i]`: of service i to be hurt; `origins`: the places there of those where it starts.
 */
function patternFit(seen: Seen, chances: Float64Array, origins: readonly number[] = []): number {
  const { logs } = seen;
  const { hurt, well, reached } = logs;
  for (let i = 0; i < hurt.length; i++) {
    hurt[i] = Math.log(chances[i] ?? 0);
    well[i] = Math.log(1 - (chances[i] ?? 0));
  }
  const alone = aloneFit(seen, origins);
  if (!seen.slowness) return alone;
  const { nats, asOrigin, blamed } = seen;
  for (let i = 0; i < hurt.length; i++)
    reached[i] = (hurt[i] ?? 0) + ((origins.includes(i) ? asOrigin : blamed)[i] ?? 0);
  const beside = seen.spared.map((spared) => besideFit(nats, logs, spared));
  const slow = Math.log(SLOW_BESIDE / REACH.length) + logSumExp(beside);
  return logSumExp([Math.log(1 - SLOW_BESIDE) + alone, slow]);
}

/** While a slowness reaches some share of the services: who is not hurt by what is to blame may be slow all the same. */
function besideFit(nats: Float64Array, { reached, well }: Logs, spared: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < nats.length; i++)
    sum += logAdd(reached[i] ?? 0, (well[i] ?? 0) + (spared[i] ?? 0)) - Math.max(0, nats[i] ?? 0);
  return sum;
}

/** Each service counted as far as its data can tell. */
function aloneFit({ nats, asOrigin, logs: { hurt, well } }: Seen, origins: readonly number[]): number {
  let sum = 0;
  for (let i = 0; i < nats.length; i++) {
    const told = (origins.includes(i) ? asOrigin : nats)[i] ?? 0;
    sum += logAdd((hurt[i] ?? 0) + told, well[i] ?? 0) - Math.max(0, nats[i] ?? 0);
  }
  return sum;
}

/**
 * Where a callee's traffic is not measured: how often a trouble floods one. Of the ways in which changes and faults go
 * wrong, asking too much of others (loops, retries, lost caches) is less than one in ten: load was behind 9 % of published outages.
 * @see Gunawi et al. (2016), "Why Does the Cloud Stop Computing?", SoCC, table 2
 */
const FLOODS_UNSEEN = 0.07;

/**
 * Whoever floods a callee is seen to in nine cases of ten; a callee that fails by itself is asked more often in some
 * (callers try again).
 */
const FLOODS_NATS = Math.log(0.9 / 0.2);

/** What creeps is used up where it is leaked: elsewhere one time in fifty (a caller that keeps connections open). */
const NOT_CREEPING_NATS = Math.log(1 / 50);

/**
 * New error signatures of its own (or of whom it floods) speak for a service, and others' complaints about it; so does
 * what traces show.
 */
function toldOf(name: string, input: OriginInput, flooded: readonly string[]): number {
  const { signatures, spans, graph, creeping } = input;
  const meant = new Set([name, ...flooded]);
  const own = signatures.some((one) => meant.has(one.service) && one.names.length === 0 && !one.complains);
  if (creeping) return (own ? OWN_ERROR_NATS : 0) + ((input.harm.get(name) ?? 0) > 0 ? 0 : NOT_CREEPING_NATS);
  const accused = signatures.some((one) => one.service !== name && one.names.some((other) => meant.has(other)));
  const traced = spans === null || spans.traced.has(name) ? [...meant] : [...graph.callers(name)];
  const share = spans === null ? null : traced.reduce((sum, place) => sum + (spans.shares.get(place) ?? 0), 0);
  const floods = flooded.length > 0 ? FLOODS_NATS : 0;
  return (own ? OWN_ERROR_NATS : 0) + (accused ? Math.log(3) : 0) + (share === null ? 0 : fromSpans(share)) + floods;
}

/** What a new error that blames nobody else says for the service that writes it, as where trouble starts. */
const OWN_ERROR_NATS = Math.log(6);

/** Given the origin, three of four new failures in traces are where it shows; given another, they are shared out. */
const fromSpans = (share: number): number => Math.min(Math.log(6), Math.log((0.75 * share + 0.05) / 0.25));
