import { allOf, type Rule } from "../rule.ts";
import { targetText } from "../targets.ts";

/** What stays undone, or would bring the bad version back by itself, is said out loud before it happens (S13). */
export const aftermath: Rule = {
  name: "aftermath",
  check({ targets }) {
    return allOf(
      "allow",
      targets.flatMap(({ target, state }) =>
        (state?.warnings ?? []).map((warning) => `${targetText(target)}: ${warning}`),
      ),
    );
  },
};
