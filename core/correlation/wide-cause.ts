import { logSumExp } from "../detection/robust.ts";
import type { Coincidence } from "../model/assessment.ts";
import type { Onset } from "../model/finding.ts";
import { gapBetween, isSameOnset } from "./onset-gap.ts";
import { UNRELATED } from "./unrelated.ts";

/** One group of degraded services that nothing known joins to the others. */
export interface Degraded {
  readonly services: readonly string[];
  readonly onset: Onset;
  /** Whether one of them was changed at the onset. */
  readonly isChanged: boolean;
  /** When each of their signals began to be degraded, where that is known apart; the onset among them. */
  readonly began?: readonly Onset[];
}

/** What is degraded at one onset by a cause that many share. */
export interface WideCause<D extends Degraded> {
  /** Degraded with the others and changed by nobody then. */
  readonly unchanged: readonly D[];
  /** Degraded at the same onset, each with a change of its own. */
  readonly changed: readonly D[];
  readonly coincidence: Coincidence;
}

/** Fewer than three that begin at once are two that met by chance, or one and its own cause. */
export const LEAST_GROUPS = 3;
/** As rare as a false alarm may be (the targets of false alarms). */
export const BY_CHANCE = 1e-3;
/**
 * A wide cause that is known reaches services over a minute: cached names and tokens run out, health checks have to fail
 * two or three times. An unrelated onset falls so near to it far more seldom than the cause reaches a service.
 */
export const SPREADS_MS = 60_000;
/** Unrelated degradations are counted by the half hour. */
const WINDOW_MS = 1_800_000;

/**
 * The onsets that a large part of all that is measured shares, most of it without a change of its own then: a zone, a node
 * pool, name resolution, an identity provider. How many are a large part follows from how often unrelated degradations
 * begin in the same moment: of `systems` (sets of services that something joins) each has one of its own in the half hour
 * at one of the rates of `UNRELATED`, of which those that are degraded at other times tell how likely each is; and its
 * onset falls as near as these do by the width of what is uncertain. So many as would meet by chance less than one time in
 * a thousand have one cause. `measured`: services in all. Pure.
 */
export function wideCauses<D extends Degraded>(
  groups: readonly D[],
  { systems, measured, stepMs }: { readonly systems: number; readonly measured: number; readonly stepMs: number },
): readonly WideCause<D>[] {
  const found: WideCause<D>[] = [];
  let left = groups;
  while (left.length >= LEAST_GROUPS) {
    const clusters = left.flatMap((pivot) => {
      const together = left.filter(({ onset }) => isSameOnset(pivot.onset, onset, stepMs));
      const unchanged = together.filter(({ isChanged }) => !isChanged);
      const setting = { systems, beside: groups.length - together.length, stepMs, pivot: pivot.onset };
      return isWide(unchanged, together, setting) ? [{ pivot, together, unchanged }] : [];
    });
    if (clusters.length === 0) return found;
    const { pivot } = clusters.reduce((best, one) => (one.unchanged.length > best.unchanged.length ? one : best));
    const reached = left.filter(({ onset, began = [onset] }) =>
      began.some((one) => gapBetween(pivot.onset, one) <= SPREADS_MS),
    );
    const own = reached.filter(({ isChanged }) => !isChanged);
    const services = new Set(own.flatMap((one) => one.services)).size;
    found.push({
      unchanged: own,
      changed: reached.filter(({ isChanged }) => isChanged),
      coincidence: { services, measured, onset: pivot.onset },
    });
    left = left.filter((one) => !reached.includes(one));
  }
  return found;
}

export interface Setting {
  readonly systems: number;
  /** Groups that are degraded at another time. */
  readonly beside: number;
  readonly stepMs: number;
  readonly pivot: Onset;
}

function isWide(
  unchanged: readonly Degraded[],
  together: readonly Degraded[],
  { systems, beside, stepMs, pivot }: Setting,
): boolean {
  if (unchanged.length < LEAST_GROUPS || 2 * unchanged.length <= together.length) return false;
  // The pivot is there by definition: the others have to meet it.
  const setting = { systems, beside, stepMs, pivot };
  return chanceToMeet(unchanged.length - 1, unchanged, together.length, setting) <= BY_CHANCE;
}

/**
 * The chance that at least `count` systems that nobody changed have an onset as near to the pivot's as these do, of `together`
 * systems that have one there.
 */
export function chanceToMeet(
  count: number,
  unchanged: readonly Degraded[],
  together: number,
  { systems, beside, stepMs, pivot }: Setting,
): number {
  const width = ({ earliest, latest }: Onset): number => latest - earliest;
  const mean = unchanged.reduce((sum, { onset }) => sum + width(onset), 0) / unchanged.length;
  const meets = Math.min(1, (width(pivot) + mean + 2 * stepMs) / WINDOW_MS);
  const others = Math.max(systems, together + beside);
  return ratesBeside(beside, others - together).reduce(
    (sum, { rate, weight }) => sum + weight * atLeast(count, others - 1, rate * meets),
    0,
  );
}

/** The rates of unrelated degradations, each as likely as it is where `degraded` of `systems` have one at another time. */
function ratesBeside(degraded: number, systems: number): readonly { readonly rate: number; readonly weight: number }[] {
  const logs = UNRELATED.map(
    ({ rate, weight }) => Math.log(weight) + degraded * Math.log(rate) + (systems - degraded) * Math.log(1 - rate),
  );
  const all = logSumExp(logs);
  return UNRELATED.map(({ rate }, i) => ({ rate, weight: Math.exp((logs[i] ?? Number.NEGATIVE_INFINITY) - all) }));
}

/** The chance that of `n` independent events of chance `p` at least `k` happen. */
export function atLeast(k: number, n: number, p: number): number {
  if (k <= 0) return 1;
  let term = (1 - p) ** n;
  let below = 0;
  for (let i = 0; i < k && i <= n; i++) {
    below += term;
    term *= ((n - i) / (i + 1)) * (p / (1 - p));
  }
  return Math.max(0, 1 - below);
}
