import { logSumExp } from "../detection/robust.ts";
import type { CallGraph } from "./call-graph.ts";
import type { NewSignature } from "./log-evidence.ts";
import { REACH, SLOW_BESIDE, type Slowness } from "./slowness.ts";
import type { SpanErrors } from "./span-evidence.ts";

/** Where trouble could start: a service, an external dependency, something that many share, or too many users. */
export type OriginKind = "service" | "external" | "shared" | "surge";
export interface Origin {
  readonly name: string;
  readonly kind: OriginKind;
  /** Log probability of what is seen, given that it starts there. */
  readonly fit: number;
  /** The same from the pattern of hurt services alone, and from logs and traces alone. */
  readonly pattern: number;
  readonly told: number;
}

/**
 * Chances that a service is hurt, given where it starts: nearly always at the origin itself; at a caller often, if what
 * it calls is hurt (it may retry, cache or not need the answer); at a callee seldom (a caller can send bad requests or
 * too many); elsewhere hardly ever: two troubles in the same minutes are rare. Orders of magnitude, not fits: only
 * their ratios between origins matter.
 */
const HURT = { itself: 0.98, caller: 0.7, callee: 0.02, elsewhere: 0.005, shared: 0.35 } as const;
/** A service in between that nobody measures passes trouble on as often as not. */
const UNMEASURED = 0.7;

export interface OriginInput {
  readonly graph: CallGraph;
  /** Log Bayes factors of "hurt" by service. */
  readonly harm: ReadonlyMap<string, number>;
  /** The same as evidence that the trouble starts there. */
  readonly atOrigin: ReadonlyMap<string, number>;
  /** What a slowness beside the trouble may explain; null where it could explain nothing by itself. */
  readonly slowness: ReadonlyMap<string, Slowness> | null;
  readonly signatures: readonly NewSignature[];
  readonly spans: readonly SpanErrors[];
  readonly surge: number | null;
}

export function fitOrigins(input: OriginInput): readonly Origin[] {
  const services = [...input.harm.keys()].sort();
  const external = [...input.graph.external].sort();
  const surge = input.surge === null ? Math.log(0.99) : Math.log(0.01);
  const make = (name: string, kind: OriginKind, pattern: number): Origin => {
    const told = kind === "service" || kind === "external" ? toldOf(name, input) : 0;
    const traffic = kind === "surge" ? (input.surge === null ? Math.log(0.1) : Math.log(0.9)) : surge;
    return { name, kind, pattern, told, fit: pattern + told + traffic };
  };
  const shared = patternFit(input, () => HURT.shared);
  return [
    ...services.map((name) => make(name, "service", patternFit(input, chanceFrom(input, name), name))),
    ...external.map((name) => make(name, "external", patternFit(input, chanceFrom(input, name)))),
    make("shared infrastructure", "shared", shared),
    make("more traffic", "surge", shared),
  ];
}

function chanceFrom({ graph, harm }: OriginInput, origin: string): (service: string) => number {
  const ancestors = graph.ancestors(origin);
  const callees = graph.callees(origin);
  const carries = (callee: string): number => {
    if (callee === origin) return 1;
    if (!ancestors.has(callee)) return 0;
    const nats = harm.get(callee);
    return nats === undefined ? UNMEASURED : 1 / (1 + Math.exp(-nats));
  };
  return (service) => {
    if (service === origin) return HURT.itself;
    if (!graph.known) return HURT.shared; // nobody knows who calls whom: anyone may suffer
    if (!ancestors.has(service)) return callees.has(service) ? HURT.callee : HURT.elsewhere;
    const below = Math.max(0, ...[...graph.callees(service)].map(carries));
    return HURT.elsewhere + (HURT.caller - HURT.elsewhere) * below;
  };
}

/**
 * Log probability of the hurt services given where it starts, over what else may be going on: nothing, or a shared
 * slowness beside it that reaches an unknown share of the services. Two troubles at once are then weighed as such,
 * instead of one being stretched over both.
 */
function patternFit(input: OriginInput, chance: (service: string) => number, origin?: string): number {
  const alone = aloneFit(input, chance, origin);
  if (input.slowness === null) return alone;
  const { slowness } = input;
  const beside = REACH.map((reach) => besideFit(input, slowness, reach, chance, origin));
  const slow = Math.log(SLOW_BESIDE / REACH.length) + logSumExp(beside);
  return logSumExp([Math.log(1 - SLOW_BESIDE) + alone, slow]);
}

/** While a slowness reaches this share of the services: who is not hurt by what is to blame may be slow all the same. */
function besideFit(
  { harm, atOrigin }: OriginInput,
  slowness: ReadonlyMap<string, Slowness>,
  reach: number,
  chance: (service: string) => number,
  origin?: string,
): number {
  let sum = 0;
  for (const [service, nats] of harm) {
    const p = chance(service);
    const { slow = 0, blamed = nats } = slowness.get(service) ?? {};
    const told = service === origin ? (atOrigin.get(service) ?? nats) : blamed;
    const spared = logSumExp([Math.log(reach) + slow, Math.log(1 - reach)]);
    sum += logSumExp([Math.log(p) + told, Math.log(1 - p) + spared]) - Math.max(0, nats);
  }
  return sum;
}

/** Each service counted as far as its data can tell. */
function aloneFit({ harm, atOrigin }: OriginInput, chance: (service: string) => number, origin?: string): number {
  let sum = 0;
  for (const [service, nats] of harm) {
    const p = chance(service);
    const told = service === origin ? (atOrigin.get(service) ?? nats) : nats;
    sum += logSumExp([Math.log(p) + told, Math.log(1 - p)]) - Math.max(0, nats);
  }
  return sum;
}

/** New error signatures of its own speak for a service, and others' complaints about it; so do failed leaf calls. */
function toldOf(name: string, { signatures, spans }: OriginInput): number {
  const own = signatures.some((one) => one.service === name && one.names.length === 0);
  const accused = signatures.some((one) => one.service !== name && one.names.includes(name));
  const failed = spans.reduce((sum, one) => sum + one.failed, 0);
  const share = failed === 0 ? null : (spans.find(({ service }) => service === name)?.failed ?? 0) / failed;
  // Given the origin, three of four new signatures and leaf failures are its own; given another, they are shared out.
  const fromSpans = share === null ? 0 : Math.log((0.75 * share + 0.05) / 0.25);
  return (own ? Math.log(6) : 0) + (accused ? Math.log(3) : 0) + Math.min(fromSpans, Math.log(6));
}
