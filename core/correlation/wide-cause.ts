import type { Coincidence } from "../model/assessment.ts";
import type { Onset } from "../model/finding.ts";
import { gapBetween, isSameOnset } from "./onset-gap.ts";

/** One group of degraded services that nothing known joins to the others. */
export interface Degraded {
  readonly services: readonly string[];
  readonly onset: Onset;
  /** How far apart the samples are that its onset was read from, ms. */
  readonly stepMs: number;
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
 * begin in the same moment (`chanceToMeet`): so many as would meet by chance less than one time in a thousand have one cause.
 * `measured`: services in all, for the words alone: those that are well decide nothing. Pure.
 */
export function wideCauses<D extends Degraded>(groups: readonly D[], measured: number): readonly WideCause<D>[] {
  const found: WideCause<D>[] = [];
  let left = groups;
  while (left.length >= LEAST_GROUPS) {
    const clusters = left.flatMap((pivot) => {
      const together = left.filter((one) => one === pivot || beginsWith(pivot, one));
      const unchanged = together.filter(({ isChanged }) => !isChanged);
      // What one cause reached is one that began at another time.
      const beside = left.length - together.length + found.length;
      return isWide(pivot, unchanged, together, beside) ? [{ pivot, together, unchanged }] : [];
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

/**
 * Whether two began in the same moment, as far as their own samples can tell: a sample's place within its step is unknown. How
 * finely others are measured says nothing of it.
 */
export const beginsWith = (a: Begun, b: Begun): boolean => isSameOnset(a.onset, b.onset, Math.max(a.stepMs, b.stepMs));

/** When something began, and how far apart the samples are that tell. */
export type Begun = Pick<Degraded, "onset" | "stepMs">;

function isWide(
  pivot: Degraded,
  unchanged: readonly Degraded[],
  together: readonly Degraded[],
  beside: number,
): boolean {
  if (unchanged.length < LEAST_GROUPS || 2 * unchanged.length <= together.length) return false;
  // The pivot is there by definition: the others have to meet it.
  const others = pivot.isChanged ? unchanged : unchanged.filter((one) => one !== pivot);
  return chanceToMeet(unchanged.length - 1, pivot, others, beside) <= BY_CHANCE;
}

/** So wide a span of time, ms, do the onsets of two come from that are as near to each other as these, or within a sample. */
export const spanOf = (a: Begun, b: Begun): number =>
  widthOf(a.onset) + widthOf(b.onset) + 2 * Math.max(a.stepMs, b.stepMs, gapBetween(a.onset, b.onset));
const widthOf = ({ earliest, latest }: Onset): number => latest - earliest;

/**
 * The chance that at least `count` unrelated degradations that no change explains begin as near to the pivot's as these do. How many begin in
 * half an hour is learned from `beside`, those that are degraded and began at another time (Jeffreys' prior of a Poisson
 * rate: half a one before any is seen); each lies anywhere in it. Then the number that meets is negative binomial. It depends
 * on what is degraded alone: that something well is measured as well makes no degradation more frequent.
 * @see Gelman et al. (2013), Bayesian Data Analysis, 3rd ed., §2.6 (Poisson with a gamma prior) and §2.8 (Jeffreys' prior)
 */
export function chanceToMeet(count: number, pivot: Begun, others: readonly Begun[], beside: number): number {
  if (count <= 0 || others.length === 0) return 1;
  const span = others.reduce((sum, one) => sum + spanOf(pivot, one), 0) / others.length;
  const meets = Math.min(1, span / WINDOW_MS);
  const shape = beside + JEFFREYS;
  let term = (1 + meets) ** -shape;
  let below = 0;
  for (let i = 0; i < count; i++) {
    below += term;
    term *= ((shape + i) / (i + 1)) * (meets / (1 + meets));
  }
  return Math.max(0, 1 - below);
}

/** Shape of the prior of a rate of which nothing is known. */
const JEFFREYS = 1 / 2;

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
