import { MATERIAL_LEVEL } from "../detection/evidence.ts";
import { logAdd } from "../detection/robust.ts";
import type { Change } from "../model/change.ts";
import type { Onset } from "../model/finding.ts";
import type { CallGraph } from "./call-graph.ts";
import { beforeMs, clampHarm, levelNats } from "./harm.ts";
import { hurtByCallees } from "./hurt-chances.ts";
import { requestCosts } from "./request-cost.ts";
import type { SampleIndex } from "./samples.ts";
import { ORDINARY_ROLLOUT_MS } from "./timing.ts";

/**
 * What services spend on each request. Failures and waiting travel along calls; the processor time that a request costs a
 * service does not, but for a callee that is asked something else. So where it rises at one service, that one did it; where
 * it rises at several that do not call each other, within the same samples, something below all of them did.
 */
export interface Strain {
  /** By service whose use and requests are measured: log Bayes factor of "each request costs it more since the onset". */
  readonly nats: ReadonlyMap<string, number>;
  /** Services that were being changed about the onset: pods that start spend more, whatever else happens. */
  readonly changing: ReadonlySet<string>;
}

/** What began with the trouble shows in so long; what comes later may be a consequence of consequences. */
const BEGINS_MS = 5 * 60_000;
const BEGINS_SAMPLES = 4;

/** Null where nobody's requests cost more: then it says nothing. */
export function strainOf(index: SampleIndex, changes: readonly Change[], onset: Onset, at: number): Strain | null {
  const nats = new Map<string, number>();
  for (const service of index.services) {
    const one = strainNats(index, service, onset, at);
    if (one !== null) nats.set(service, one);
  }
  if (![...nats.values()].some((one) => one > 0)) return null;
  const until = onset.latest + BEGINS_MS;
  const changing = changes.filter(
    ({ startedAt, finishedAt }) =>
      startedAt <= until && (finishedAt ?? startedAt) + ORDINARY_ROLLOUT_MS >= onset.earliest,
  );
  return { nats, changing: new Set(changing.map(({ service }) => service)) };
}

/**
 * More use alone may be more traffic, more use a request alone less of it (what a service spends at rest is then shared by
 * fewer): the weaker of the two speaks. Null where it is not measured.
 */
function strainNats(index: SampleIndex, service: string, onset: Onset, at: number): number | null {
  const costs = requestCosts(index, service);
  if (costs === null) return null;
  const before = costs.between(onset.earliest - beforeMs(costs.stepMs), onset.earliest);
  const shows = Math.max(BEGINS_MS, BEGINS_SAMPLES * costs.stepMs);
  const after = costs.between(onset.at, Math.min(at, onset.latest + shows));
  const rise = (key: "use" | "cost") =>
    levelNats(
      before.map((one) => one[key]),
      after.map((one) => one[key]),
      Math.log(1 + MATERIAL_LEVEL),
    );
  return clampHarm(Math.min(rise("use"), rise("cost")));
}

/**
 * Chances that a request costs a service more since the onset, by how it stands to where the trouble starts. At the origin
 * as often as not. A callee may be asked something dearer, a caller wait and try again; both seldom. Pods that are being replaced
 * start cold. Anybody else would have to do it for a reason of its own within the same samples: even where four in ten
 * have one in any half hour, one in twenty of these begins then.
 */
const COSTS_MORE = { itself: 0.5, callee: 0.2, caller: 0.1, changing: 0.3, other: 0.02 } as const;

/**
 * Log probability of who spends more, given that the trouble starts at `origin`; null: at none of them. `asked`: a service
 * that is asked more by somebody who is not seen, and may be asked something dearer.
 */
export function strainFit(strain: Strain | null, graph: CallGraph, origin: string | null, asked?: string): number {
  if (strain === null) return 0;
  const above = origin === null ? null : graph.ancestors(origin);
  const below = origin === null ? null : graph.callees(origin);
  let sum = 0;
  for (const [service, nats] of strain.nats) {
    let chance: number = COSTS_MORE.other;
    if (service === origin) chance = COSTS_MORE.itself;
    else if (strain.changing.has(service)) chance = COSTS_MORE.changing;
    else if (service === asked || below?.has(service) === true) chance = COSTS_MORE.callee;
    else if (above?.has(service) === true || !graph.known) chance = COSTS_MORE.caller;
    sum += weighed(chance, nats);
  }
  return sum;
}

/** Log likelihood of what is seen where it happens with this chance, relative to what the data prefers. */
export const weighed = (chance: number, nats: number): number =>
  logAdd(Math.log(chance) + nats, Math.log(1 - chance)) - Math.max(0, nats);

/** Of what machines share and run out of (processor, network, storage), one third makes each request dearer. */
const OF_PROCESSOR = 1 / 3;
/** Whom something below reaches spends more, and is hurt by it, nearly always. */
const REACHED = { costsMore: 0.7, hurt: 0.8 } as const;

/**
 * Log probability of who is hurt and who spends more, given a cause below the services: of another kind than the processor, whose
 * pattern of hurt services is `pattern`, or of that kind. Then those whom it reaches, a share that nobody knows (`shares`,
 * each alike), are hurt and spend more together, and others are hurt as callers of theirs.
 */
export function sharedFit(
  strain: Strain | null,
  graph: CallGraph,
  pattern: number,
  hurt: ReadonlyMap<string, number>,
  shares: readonly number[],
): number {
  if (strain === null) return pattern;
  const services = [...new Set([...hurt.keys(), ...strain.nats.keys()])].map((service) => {
    const [h, c] = [hurt.get(service) ?? 0, strain.nats.get(service) ?? 0];
    const alone = Math.max(COSTS_MORE.other, strain.changing.has(service) ? COSTS_MORE.changing : 0);
    return {
      reached: weighed(REACHED.hurt, h) + weighed(REACHED.costsMore, c),
      spared: weighed(hurtByCallees(graph, hurt, service), h) + weighed(alone, c),
    };
  });
  let joint = Number.NEGATIVE_INFINITY;
  for (const share of shares) {
    let sum = -Math.log(shares.length);
    for (const { reached, spared } of services) sum += logAdd(Math.log(share) + reached, Math.log(1 - share) + spared);
    joint = logAdd(joint, sum);
  }
  return logAdd(Math.log(1 - OF_PROCESSOR) + pattern + strainFit(strain, graph, null), Math.log(OF_PROCESSOR) + joint);
}
