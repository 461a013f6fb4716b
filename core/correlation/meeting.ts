import type { Coincidence } from "../model/assessment.ts";
import type { Onset } from "../model/finding.ts";
import { isSameOnset } from "./onset-gap.ts";
import { BAD_CHANGE } from "./prior.ts";
import { atLeast, BY_CHANCE, chanceToMeet, type Degraded, LEAST_GROUPS } from "./wide-cause.ts";

/** A degraded group, and how long an onset at it has an explanation of its own. */
export interface Explained extends Degraded {
  /** From the start of the first of its changes at the onset until a rollout's length after the end of the last one, ms; 0: none. */
  readonly explainedMs: number;
}

/**
 * Groups with a change of their own at an onset that others share, whom nothing joins to them: with whom they share it. That
 * several changes are bad at once is rare (`BAD_CHANGE` each), and the onset of each falls anywhere into the time that its
 * change explains; that something which nobody changed begins then is rarer still. So many as would meet by chance less than
 * one time in a thousand may have one cause that none of the changes is. They stay apart, since each may be bad all the same; it
 * is evidence for "no change" in each. `systems`: sets of services that something joins; `measured`: services in all. Pure.
 */
export function meetings<D extends Explained>(
  groups: readonly D[],
  { systems, measured, stepMs }: { readonly systems: number; readonly measured: number; readonly stepMs: number },
): ReadonlyMap<D, Coincidence> {
  const found = new Map<D, Coincidence>();
  if (groups.length < LEAST_GROUPS) return found;
  const changed = groups.filter(({ isChanged }) => isChanged);
  for (const pivot of changed) {
    const together = groups.filter(({ onset }) => isSameOnset(pivot.onset, onset, stepMs));
    if (together.length < LEAST_GROUPS) continue;
    const others = together.filter((one) => one.isChanged && one !== pivot);
    const unchanged = together.filter((one) => !one.isChanged);
    const setting = { systems, beside: groups.length - together.length, stepMs, pivot: pivot.onset };
    const byNobody = unchanged.length === 0 ? 1 : chanceToMeet(unchanged.length, unchanged, together.length, setting);
    const byOthers = atLeast(others.length, changed.length - 1, BAD_CHANGE * meets(pivot, others, stepMs));
    if (byNobody * byOthers > BY_CHANCE) continue;
    const services = new Set(together.flatMap((one) => one.services)).size;
    found.set(pivot, { services, measured, onset: pivot.onset });
  }
  return found;
}

/** How often the onset of a change falls as near to the pivot's as these do, in the mean. */
function meets(pivot: Explained, others: readonly Explained[], stepMs: number): number {
  const each = others.map(({ onset, explainedMs }) =>
    Math.min(1, (width(pivot.onset) + width(onset) + 2 * stepMs) / Math.max(1, explainedMs)),
  );
  return each.length === 0 ? 0 : each.reduce((sum, one) => sum + one, 0) / each.length;
}

const width = ({ earliest, latest }: Onset): number => latest - earliest;
