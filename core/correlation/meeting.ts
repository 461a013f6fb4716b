import type { Coincidence } from "../model/assessment.ts";
import { BAD_CHANGE } from "./prior.ts";
import { atLeast, BY_CHANCE, beginsWith, chanceToMeet, type Degraded, LEAST_GROUPS, spanOf } from "./wide-cause.ts";

/** A degraded group, and how long an onset at it has an explanation of its own. */
export interface Explained extends Degraded {
  /** From the start of the first of its changes at the onset until a rollout's length after the end of the last one, ms; 0: none. */
  readonly explainedMs: number;
}

/** One that is known to stand in a part of all that is measured. */
export interface Placed extends Explained {
  /** What something known joins its services to; the same set for all that it holds: they may have one cause beneath them. */
  readonly part: ReadonlySet<string>;
}

/**
 * Groups with a change of their own at an onset that others share, whom nothing joins to them: with whom they share it. That
 * several changes are bad at once is rare (`BAD_CHANGE` each), and the onset of each falls anywhere into the time that its
 * change explains; that something which nobody changed begins then is rarer still. So many as would meet by chance less than
 * one time in a thousand may have one cause that none of the changes is. They stay apart, since each may be bad all the same; it
 * is evidence for "no change" in each. `measured`: services in all, for the words alone. Pure.
 */
export function meetings<D extends Placed>(all: readonly D[], measured: number): ReadonlyMap<D, Coincidence> {
  const found = new Map<D, Coincidence>();
  if (all.length < LEAST_GROUPS) return found;
  for (const pivot of all.filter(({ isChanged }) => isChanged)) {
    const groups = apartFrom(pivot, all);
    const others = groups.filter((one) => one !== pivot && beginsWith(pivot, one));
    if (others.length + 1 < LEAST_GROUPS || chanceBeside(pivot, others, groups) > BY_CHANCE) continue;
    const services = new Set([pivot, ...others].flatMap((one) => one.services)).size;
    found.set(pivot, { services, measured, onset: pivot.onset });
  }
  return found;
}

/**
 * Groups that tell a pivot something each by itself. Of those that something known joins to each other, and not to the pivot, the first
 * alone: one cause beneath them begins them all, one after the other, whatever the pivot's is (S16). Pure.
 */
export function apartFrom<D extends Placed>(pivot: D, all: readonly D[]): readonly D[] {
  const first = new Map<ReadonlySet<string>, D>();
  for (const one of all) {
    const known = first.get(one.part);
    if (known === undefined || one.onset.latest < known.onset.latest) first.set(one.part, one);
  }
  return all.filter((one) => one === pivot || one.part === pivot.part || first.get(one.part) === one);
}

/**
 * The chance that others, each for a cause of its own, begin as near to the pivot's onset as these do: those with a change of
 * their own as often as changes are bad and show just then, the others as unrelated degradations do (`chanceToMeet`). `all`:
 * all that is degraded. Pure.
 */
export function chanceBeside(pivot: Explained, others: readonly Explained[], all: readonly Explained[]): number {
  const changed = others.filter(({ isChanged }) => isChanged);
  const unchanged = others.filter(({ isChanged }) => !isChanged);
  const beside = all.filter((one) => one !== pivot && !others.includes(one)).length;
  const byNobody = chanceToMeet(unchanged.length, pivot, unchanged, beside);
  const mayBeBad = all.filter((one) => one !== pivot && one.isChanged).length;
  return byNobody * atLeast(changed.length, mayBeBad, BAD_CHANGE * meets(pivot, changed));
}

/** How often the onset of a change falls as near to the pivot's as these do, in the mean. */
function meets(pivot: Explained, others: readonly Explained[]): number {
  const each = others.map((one) => Math.min(1, spanOf(pivot, one) / Math.max(1, one.explainedMs)));
  return each.length === 0 ? 0 : each.reduce((sum, one) => sum + one, 0) / each.length;
}
