import { own } from "../../model/fenced.ts";
import { name } from "../../model/untrusted-text.ts";
import { allOf, clockText, type Rule } from "../rule.ts";
import { targetKey, targetText } from "../targets.ts";

/**
 * Undoing what unship itself did, or restoring what it once took away, is a fight with itself that no metric can
 * settle: a person decides (S13).
 */
export const ownRollback: Rule = {
  name: "own-rollback",
  check({ plan, assessment, store, now }) {
    const ours = new Set(assessment?.changes.filter((change) => change.ownRollback === true).map(({ id }) => id));
    return allOf(
      "require_approval",
      plan.targets.flatMap((target) => {
        if (ours.has(target.changeId))
          return [own`change ${name(target.changeId)} is a rollback that unship did itself`];
        const last = store.lastActs.find((one) => one.targetKey === targetKey(target));
        if (last === undefined) return [];
        const when = own`plan ${name(last.planId)} at ${clockText(last.finishedAt ?? last.reservedAt, now)}`;
        const sameVersions = last.target.restore.version === last.target.expected.version;
        if (sameVersions || target.action === "feature_flag_disable") return [];
        return [
          ...(last.target.restore.version === target.expected.version
            ? [own`${targetText(target)} stands at ${name(target.expected.version)} because ${when} restored it`]
            : []),
          ...(last.target.expected.version === target.restore.version
            ? [own`${name(target.restore.version)} of ${targetText(target)} is what ${when} took away`]
            : []),
        ];
      }),
    );
  },
};
