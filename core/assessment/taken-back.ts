import { takenBackBy } from "../correlation/replaced.ts";
import type { CaseFile } from "../model/assessment.ts";
import type { Candidate } from "../model/candidate.ts";
import type { Change } from "../model/change.ts";
import { changeName, nameOfChange } from "../model/change-name.ts";
import type { Decision } from "../model/decision.ts";
import { rfc3339 } from "../model/time.ts";

/**
 * The decision without what has been taken back already, by us or by going back to what stood before. Where its culprit is,
 * the likeliest of the changes that are left takes that one's place; `sure`: the changes that are each as likely as acting
 * asks for. Where nothing sure is left, nothing is undone, and it says why: trouble that began while the change still ran may
 * be its own, seen elsewhere or late, and pass with it; what stays is for people. Every other decision as it is. Pure.
 */
export function withoutTakenBack(
  decision: Decision,
  { changes, at }: Pick<CaseFile, "changes" | "at">,
  sure: readonly Pick<Candidate, "changeId" | "probability">[] = [],
): Decision {
  const { action, culprit, changeIds, hotfix, why } = decision;
  if (action === "no_action") return decision;
  const together = action === "hotfix_recommendation" ? (hotfix?.changeIds ?? []) : changeIds;
  const named = new Set([...together, ...(culprit === null ? [] : [culprit.changeId])]);
  const back = new Map([...named].flatMap((id) => wayBack(id, changes, at)));
  if (back.size === 0) return decision;
  const gone = [...back].map(([id, by]) => `${changeName(id, changes)} ${stateOf(by, at)}`);
  const left = together.filter((id) => !back.has(id));
  const first = culprit !== null && !back.has(culprit.changeId) ? culprit : likeliest(left, sure);
  const isMended = hotfix !== null && back.has(hotfix.changeId);
  if (first === null || isMended) {
    const whole = [...back].map(
      ([id, by]) => `${changeName(id, changes)} ${stateOf(by, at)}, ${whoOf(by)} of ${rfc3339(by.startedAt)}`,
    );
    return {
      ...decision,
      action: "no_action",
      changeIds: [],
      hotfix: null,
      needsPerson: [
        left.length === 0
          ? `${gone.join("; ")}: if the degradation stays, its cause lies elsewhere`
          : `${gone.join("; ")}: whether ${left.map((id) => changeName(id, changes)).join(", ")} is rolled back needs a person`,
      ],
      why: [`${whole.join("; ")}: there is nothing ${left.length === 0 ? "" : "sure "}left to undo`, ...why],
    };
  }
  return {
    ...decision,
    service: changes.find(({ id }) => id === first.changeId)?.service ?? decision.service,
    culprit: first,
    changeIds: changeIds.filter((id) => !back.has(id)),
    hotfix: hotfix?.changeIds === undefined ? hotfix : { ...hotfix, changeIds: left },
    why: [...why, `${gone.join("; ")}: no part of what is left to undo`],
  };
}

function wayBack(id: string, changes: readonly Change[], at: number): readonly (readonly [string, Change])[] {
  const change = changes.find((one) => one.id === id);
  const by = change === undefined ? undefined : takenBackBy(change, changes, at);
  return by === undefined ? [] : [[id, by]];
}

const stateOf = ({ finishedAt }: Change, at: number): string =>
  finishedAt === null || finishedAt > at ? "is being rolled back" : "is already rolled back";

const whoOf = (by: Change): string => (by.ownRollback === true ? "by unship's own rollback" : `by ${nameOfChange(by)}`);

/** The likeliest of these changes, with its probability; null: none of them is among the candidates. */
function likeliest(
  ids: readonly string[],
  candidates: readonly Pick<Candidate, "changeId" | "probability">[],
): Decision["culprit"] {
  const best = candidates
    .filter(({ changeId }) => ids.includes(changeId))
    .toSorted((a, b) => b.probability - a.probability)[0];
  return best === undefined ? null : { changeId: best.changeId, probability: best.probability };
}
