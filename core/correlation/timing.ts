import type { Change } from "../model/change.ts";
import type { Onset } from "../model/finding.ts";

/** What trouble is like: a shift shows at once or soon, a broken contract when somebody relies on it, a drift creeps. */
export type Course = "shift" | "contract" | "drift";

const MINUTE = 60_000;
/** No set of pods is replaced faster than this. */
const UNTOLD_MS = 2_000;

/**
 * Log likelihood ratio of "it began when it did because of this change" against "it began at any time of the window".
 *
 * Given the change, the onset falls with 3/4 into its rollout (its first minute at least: a bad version is bad from its
 * first pod on), with most of the rest into a tail of ten minutes (an hour for a drift), and with 1/12 anywhere in the window: a code path that is used late. A
 * drift or a broken contract starts in the rollout itself less often (2/5).
 * Given anything else, every moment of the window is alike. A change after the onset is no cause: what remains is the
 * chance that clocks differ. Onset: uncertain between its bounds, and by one step more, since a sample's place within
 * its step is unknown.
 */
export function timingEvidence(
  change: Pick<Change, "kind" | "startedAt" | "finishedAt">,
  onset: Onset,
  options: { readonly stepMs: number; readonly windowMs: number; readonly at: number; readonly course: Course },
): number {
  const { stepMs, windowMs, at, course } = options;
  const lasted = Math.max(0, Math.min(change.finishedAt ?? at, at) - change.startedAt);
  // Who tells a deploy's end with its start does not know how long its pods took.
  const rollout = change.kind === "deploy" && lasted < UNTOLD_MS ? 3 * MINUTE : Math.max(lasted, MINUTE);
  const tail = course === "drift" ? 60 * MINUTE : 10 * MINUTE;
  const inRollout = course === "shift" ? 0.75 : 0.4;
  const long = Math.max(windowMs, 2 * rollout);
  const density = (lag: number): number => {
    if (lag < 0) return 1e-4 / windowMs;
    const during = lag <= rollout ? inRollout / rollout : 0;
    const after = lag > rollout ? ((11 / 12 - inRollout) * Math.exp(-(lag - rollout) / tail)) / tail : 0;
    return during + after + (lag <= long ? 1 / 12 / long : 0);
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
