import { own } from "../../model/fenced.ts";
import { quote } from "../../model/untrusted-text.ts";
import { allOf, type Rule } from "../rule.ts";
import { targetText } from "../targets.ts";

/**
 * A rollback needs a version to restore: one that is named, differs from the present one, and can still be restored.
 * A version is known to be good by how long it served; the stable version beside a running trial also by serving
 * better now, measured side by side.
 */
export const knownGood: Rule = {
  name: "known-good",
  check({ targets }) {
    return allOf(
      "deny",
      targets.flatMap(({ target, state }) => {
        const { expected, restore } = target;
        if (restore.version === "" && restore.revision === "")
          return [own`no good version of ${targetText(target)} is known`];
        if (restore.version === expected.version && restore.revision === expected.revision) {
          return [own`the version to restore of ${targetText(target)} is the one that is there now`];
        }
        return (state?.obstacles ?? []).map(
          (obstacle) => own`${targetText(target)} cannot be rolled back: ${quote(obstacle)}`,
        );
      }),
    );
  },
};
