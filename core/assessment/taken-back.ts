import { replaces } from "../correlation/replaced.ts";
import type { CaseFile } from "../model/assessment.ts";
import type { Change } from "../model/change.ts";
import type { Decision } from "../model/decision.ts";
import { rfc3339 } from "../model/time.ts";

/**
 * The decision, unless it would undo what has been taken back already, by us or by going back to what stood before:
 * then there is nothing to undo, and it says so. Trouble that began while the change still ran may be its own, seen
 * elsewhere or late, and pass with it; what stays is for people. Every other decision as it is. Pure.
 */
export function withoutTakenBack(decision: Decision, { changes, at }: CaseFile): Decision {
  if (decision.action === "no_action") return decision;
  const named = [...decision.changeIds, ...(decision.culprit === null ? [] : [decision.culprit.changeId])];
  for (const id of named) {
    const change = changes.find((one) => one.id === id);
    const back = change === undefined ? undefined : takenBackBy(change, changes, at);
    if (back === undefined) continue;
    const who = back.ownRollback === true ? "by our own rollback" : `by ${back.id}`;
    const state = back.finishedAt === null || back.finishedAt > at ? "is being taken back" : "is already taken back";
    return {
      ...decision,
      action: "no_action",
      changeIds: [],
      hotfix: null,
      needsPerson: [`${id} ${state}: if the trouble stays, its cause lies elsewhere`],
      why: [`${id} ${state}, ${who} of ${rfc3339(back.startedAt)}: there is nothing left to undo`, ...decision.why],
    };
  }
  return decision;
}

/** Forward to another version is a fix, not a way back: whether that helped is judged by itself. */
function takenBackBy(change: Change, changes: readonly Change[], at: number): Change | undefined {
  return changes.findLast(
    (other) =>
      other.startedAt <= at && replaces(other, change) && (other.ownRollback === true || other.to === change.from),
  );
}
