import type { Assessment } from "../../model/assessment.ts";
import type { Change } from "../../model/change.ts";
import { type Fenced, own } from "../../model/fenced.ts";
import type { Target } from "../../model/plan.ts";
import { clockText } from "../../model/time.ts";
import { name } from "../../model/untrusted-text.ts";
import { isBesideSync } from "../beside-sync.ts";
import { allOf, type Rule, type RuleInput } from "../rule.ts";
import { mayBeSameObject, positionOf, targetText, versionText } from "../targets.ts";
import { touchedByTarget } from "../touched.ts";

/**
 * A plan is made for the state at one time. Where the target is at another version by now, or somebody else has
 * started to change it since onset, acting would overwrite a person's fix (S6).
 */
export const stale: Rule = {
  name: "stale",
  check(input) {
    return allOf("deny", [...moved(input), ...changedSince(input)]);
  },
};

function moved({ targets }: RuleInput): readonly Fenced[] {
  return targets.flatMap(({ target, state }) => {
    if (state === null) return [];
    const position = positionOf(target, state);
    if (position === "restored") return [];
    if (position === "elsewhere") {
      const [is, expected] = [versionText(state), versionText(target.expected)];
      return [own`${targetText(target)} is at ${is}, not at ${expected} as the plan expects`];
    }
    return state.changedBy === undefined
      ? []
      : [own`${targetText(target)} is being changed by ${name(state.changedBy)}`];
  });
}

function changedSince(input: RuleInput): readonly Fenced[] {
  const { plan, targets, assessment, now, policy } = input;
  if (assessment === null) return [];
  const planned = new Set(plan.targets.map(({ changeId }) => changeId));
  const onset = assessment.answers.identify_recent_deployments?.onset?.at;
  return targets.flatMap(({ target, state }) => {
    if (state !== null && positionOf(target, state) === "restored") return [];
    const undone = assessment.changes.find(({ id }) => id === target.changeId);
    const since = onset ?? undone?.startedAt;
    if (since === undefined) return [];
    const one = touchedByTarget(target, input);
    const isOf = (change: Change) => touches(change, target) || isBesideSync(change, one, undone, policy.services);
    return assessment.changes
      .filter((change) => !planned.has(change.id) && change.ownRollback !== true)
      .filter((change) => change.startedAt > since && isOf(change))
      .filter((change) => !goesBackWith(change, undone, assessment))
      .map(({ id, author, startedAt }) => {
        const who = author === undefined ? "someone" : name(author);
        return own`${who} began change ${name(id)} of ${targetText(target)} at ${clockText(startedAt, now)}, after the onset`;
      });
  });
}

/**
 * Whether a change of a target is a part of what is taken back there: the gate itself blames both, or it is the very same
 * switch of a flag, which sources may tell once for each service that reads it.
 */
function goesBackWith(change: Change, undone: Change | undefined, { decision }: Assessment): boolean {
  if (undone === undefined) return false;
  const together = decision.changeIds.includes(undone.id) && decision.changeIds.includes(change.id);
  const isSame = change.flag !== undefined && change.to === undone.to && change.startedAt === undone.startedAt;
  return together || isSame;
}

/** Whether a change is one of this target: the same object, or, where it names none, the same service and kind. */
export function touches(change: Change, target: Target): boolean {
  const isFlag = target.action === "feature_flag_disable";
  if (change.flag !== undefined) return isFlag && change.flag === target.object.name;
  // A flag's environment is told beside its name; a workload has none. A namespace that was not told may be any.
  if (change.workload !== undefined) return mayBeSameObject({ object: change.workload }, { object: target.object });
  return !isFlag && change.kind !== "flag" && change.service === target.service;
}
