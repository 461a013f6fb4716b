import { type Fenced, own } from "../../model/fenced.ts";
import type { Target } from "../../model/plan.ts";
import { clockText } from "../../model/time.ts";
import { name } from "../../model/untrusted-text.ts";
import type { Intent } from "../gate-store.ts";
import { allOf, type Rule, type RuleInput } from "../rule.ts";
import { targetKey, targetText, versionText } from "../targets.ts";
import { provedHealthyAt, touchedByAct } from "../touched.ts";

/**
 * Undoing what unship itself did, or restoring what it once rolled back, is a conflict with itself that no metric
 * can settle: it needs approval (S13).
 */
export const ownRollback: Rule = {
  name: "own-rollback",
  check(input) {
    const { plan, assessment } = input;
    const ours = new Set(assessment?.changes.filter((change) => change.ownRollback === true).map(({ id }) => id));
    return allOf(
      "require_approval",
      plan.targets.flatMap((target) => {
        if (ours.has(target.changeId))
          return [own`change ${name(target.changeId)} is a rollback that unship did itself`];
        if (target.action === "feature_flag_disable") return [];
        return [...undoes(target, input), ...restores(target, input)];
      }),
    );
  },
};

/** Whether the target stands where the last act of ours put it, or one after that which may have. */
function undoes(target: Target, input: RuleInput): readonly Fenced[] {
  const act = latest(target, input).find((one) => isPutBy(one, target));
  return act === undefined
    ? []
    : [own`${targetText(target)} is at ${name(target.expected.version)} because ${actText(act, input)} restored it`];
}

/** Whether it would bring back what any act of ours took away. */
function restores(target: Target, input: RuleInput): readonly Fenced[] {
  const last = latest(target, input);
  const act = actsAt(target, input).find((one) => isTakenBy(one, target, last.includes(one), input));
  return act === undefined
    ? []
    : [
        own`${isByTag(act) ? name(target.restore.version) : versionText(target.restore)} of ${targetText(target)} is what ${actText(act, input)} took away`,
      ];
}

/** Whether the versions of an act are spelled apart, so that a version alone tells which of them it is. */
const isByTag = ({ target: { expected, restore } }: Intent): boolean => restore.version !== expected.version;

const actsAt = (target: Target, { store }: RuleInput): readonly Intent[] =>
  store.ownActs.filter((one) => one.targetKey === targetKey(target));

/** The last act that certainly came into effect, and those after it of which nobody knows how much they wrote; newest first. */
function latest(target: Target, input: RuleInput): readonly Intent[] {
  const acts = actsAt(target, input);
  const done = acts.findIndex(({ result }) => result?.result === "done");
  return done === -1 ? acts : acts.slice(0, done + 1);
}

/**
 * A version tells it, but for an act that changed the configuration alone: both of its versions are spelled alike, and what
 * it put there got the revision after the one that it found.
 */
function isPutBy(act: Intent, target: Target): boolean {
  const { expected, restore } = act.target;
  if (restore.version !== target.expected.version) return false;
  return isByTag(act) || isNext(expected.revision, target.expected.revision);
}

/**
 * Of the last act the version tells it, however often it was deployed since. What an earlier one took away may have been
 * deployed again since and proved healthy: then it is that deploy's, with a revision of its own.
 */
function isTakenBy(act: Intent, target: Target, isLast: boolean, { policy, store }: RuleInput): boolean {
  const { expected } = act.target;
  if (expected.version !== target.restore.version) return false;
  if (expected.revision === target.restore.revision) return true;
  if (!isByTag(act)) return false;
  const touched = touchedByAct(act, policy.services);
  return isLast || provedHealthyAt(target.service, touched, touched, store.healthy) < act.reservedAt;
}

/** Revisions count up; where they are no numbers, nobody can tell which is the next, and it may be. */
function isNext(before: string, after: string): boolean {
  const numbers = [before, after].every((one) => /^\d+$/.test(one));
  return numbers ? Number(after) === Number(before) + 1 : after !== before;
}

function actText({ planId, finishedAt, reservedAt }: Intent, { now }: RuleInput): Fenced {
  return own`plan ${name(planId)} at ${clockText(finishedAt ?? reservedAt, now)}`;
}
