import { own } from "../../model/fenced.ts";
import { name, quote } from "../../model/untrusted-text.ts";
import { allOf, type Rule } from "../rule.ts";
import { targetText } from "../targets.ts";

/**
 * The old version gets the present load on the present number of pods: where it has fewer resources than the present
 * version, the rollback can cause the next outage. A flag has no capacity of its own.
 */
export const capacity: Rule = {
  name: "capacity",
  check({ targets }) {
    return allOf(
      "require_approval",
      targets.flatMap(({ target, state }) => {
        if (target.action === "feature_flag_disable" || target.action === "database_migration_rollback") return [];
        // A target that could not be read is the rule evidence's.
        if (state === null) return [];
        const version = target.restore.version;
        if (state.capacity === undefined) {
          return [
            own`what ${name(version)} of ${targetText(target)} may use is not known: check whether it can carry the present load`,
          ];
        }
        return state.capacity.less.map(
          (less) => own`${name(version)} of ${targetText(target)} has less than the present version: ${quote(less)}`,
        );
      }),
    );
  },
};
