import type { Change } from "../model/change.ts";
import type { Onset } from "../model/finding.ts";

/** What trouble is like: a shift shows at once or soon, a broken contract when somebody relies on it, a drift creeps. */
export type Course = "shift" | "contract" | "drift";

const MINUTE = 60_000;
/**
 * Who tells a deploy's end together with its start does not know how long its pods took: until a rollout of ordinary
 * length is over (Kubernetes' own progress deadline is ten minutes, most take a few), the old pods may serve.
 */
export const UNTOLD_MS = 2_000;
export const ORDINARY_ROLLOUT_MS = 3 * MINUTE;
/** Pods, caches and load balancers take so long to follow what a log of changes calls done; nothing is dated finer. */
const LEAST_ROLLOUT_MS = MINUTE;
/**
 * How often trouble that a change brings shows while it rolls out: more often than not. Nobody publishes it, so it is a
 * guess; anything from 1/2 to 3/4 moves the odds of a change by less than a factor of two, and the order of two changes
 * in the same state not at all. Drifts and broken contracts wait for time and for somebody who relies on them.
 */
const DURING = { shift: 0.6, contract: 0.4, drift: 0.4 } as const;
/** Half of what shows later does so within this time after the rollout; a shift within the rollout's own length. */
const HALF_LATER_MS = { contract: 10 * MINUTE, drift: 60 * MINUTE } as const;
/**
 * Of the shifts that show later, half wait for something that has nothing to do with the rollout (an entry of a cache
 * that expires, a job of the hour, a busier time of the day): half of these within the hour. A guess as well; that such
 * faults come hours after their rollout often enough to need a watch of their own is what Azure's deployments taught.
 * @see Li et al. (2020), "Gandalf: An Intelligent, End-To-End Analytics Service for Safe Deployment in Large-Scale Cloud
 *   Infrastructure", NSDI, §2 and §4 (latent faults)
 */
export const LATENT = { share: 1 / 2, halfMs: 60 * MINUTE } as const;
/**
 * What takes longer than an ordinary rollout goes in stages (a canary, pods one by one with pauses between). Its first pods
 * serve users from about the first minute on, and what fails for them shows then: half of what shows during such a rollout
 * at all does so about then, within a minute in the median; the rest waits for a stage that is large enough, at an even
 * rate. Without this a long rollout would lose its first minutes the longer it goes on.
 */
const FIRST_STAGE = { share: 1 / 2, halfMs: MINUTE } as const;
/** Of these, so many wait for a busier time, and come with it: one in three, where it is known when that was. */
const BUSIER = 1 / 3;
/** A change cannot act before it starts. What remains is the chance that two clocks differ by more than a step. */
const CLOCKS_DIFFER = 1e-6;

/**
 * Log likelihood ratio of "it began when it did because of this change" against "it began at any time of the window".
 *
 * Given the change, the onset falls into its rollout at an even rate (the share of the new version at which it shows is
 * unknown), or after it: then whatever is broken is exercised at some rate λ that nobody knows, so that the wait is
 * exponential given λ, with λ itself exponential about the scale of the rollout. That makes the wait Lomax with shape 1,
 * τ/(τ + wait)²: proper, weakly informative, its median τ, and with a tail too heavy to be sure by timing alone. Two
 * changes of the same minutes differ by small factors, however the last of them lies.
 * Given anything else, every moment of the window is alike. Onset: uncertain between its bounds, and by one step more,
 * since a sample's place within its step is unknown.
 * @see Lomax (1954), J. Am. Stat. Assoc. 49(268):847–852; an exponential of exponentially distributed rate
 */
export function timingEvidence(
  change: Pick<Change, "startedAt" | "finishedAt" | "canary"> & { readonly kind: string },
  onset: Onset,
  options: {
    readonly stepMs: number;
    readonly windowMs: number;
    readonly at: number;
    readonly course: Course;
    /** Chance for each millisecond of the onset, of what waits for a busier time; null: not known. */
    readonly busier?: number | null;
  },
): number {
  const { stepMs, windowMs, at, course, busier = null } = options;
  const lasted = Math.max(0, Math.min(change.finishedAt ?? at, at) - change.startedAt);
  // A canary that stays one has its pods within minutes; what goes on after that rolls nothing out.
  const isCanary = change.finishedAt === null && change.canary !== undefined && change.canary < 1;
  const untold = change.kind === "deploy" && change.finishedAt !== null && lasted < UNTOLD_MS;
  const rolled = isCanary ? Math.min(lasted, ORDINARY_ROLLOUT_MS) : lasted;
  const rollout = untold ? ORDINARY_ROLLOUT_MS : Math.max(rolled, LEAST_ROLLOUT_MS);
  const half = course === "shift" ? rollout : HALF_LATER_MS[course];
  const density = (lag: number): number => {
    if (lag < 0) return CLOCKS_DIFFER / windowMs;
    if (lag <= rollout) return DURING[course] * during(lag, rollout);
    const later = lomax(lag - rollout, half);
    if (course !== "shift") return (1 - DURING[course]) * later;
    const waits = lomax(lag - rollout, LATENT.halfMs);
    const latent = busier === null ? waits : (1 - BUSIER) * waits + BUSIER * busier;
    return (1 - DURING.shift) * ((1 - LATENT.share) * later + LATENT.share * latent);
  };
  let sum = 0;
  let weight = 0;
  const from = onset.earliest - stepMs / 2;
  const to = onset.latest + stepMs;
  for (let i = 0; i <= 20; i++) {
    const time = from + ((to - from) * i) / 20;
    // Level from the best estimate to the latest moment, falling before it, and half as likely in the step after.
    const before = 1.1 - (onset.at - time) / Math.max(onset.at - from, 1);
    const w = time < onset.at ? before : time <= onset.latest + stepMs / 2 ? 1 : 0.5;
    sum += w * density(time - change.startedAt);
    weight += w;
  }
  return Math.log((sum / weight) * windowMs);
}

/** Density of the onset within a rollout, given that it falls into it. */
function during(lag: number, rollout: number): number {
  if (rollout <= ORDINARY_ROLLOUT_MS) return 1 / rollout;
  const { share, halfMs } = FIRST_STAGE;
  const within = rollout / (rollout + halfMs); // what the tail beyond the rollout would hold
  return (share * lomax(lag, halfMs)) / within + (1 - share) / rollout;
}

/** Density of a wait whose median is `half`: the exponential of a rate that is itself exponential. */
const lomax = (wait: number, half: number): number => half / (half + wait) ** 2;
