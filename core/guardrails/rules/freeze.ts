import { ours, own } from "../../model/fenced.ts";
import { clockText } from "../../model/time.ts";
import { listedName } from "../names.ts";
import { allOf, type Rule, type RuleAnswer } from "../rule.ts";
import { namesTouched, touchedByPlan } from "../touched.ts";

/**
 * During a freeze nothing should change unexpectedly. Each window has to say whether that includes rollbacks: a
 * default would be a guess at what the operator wants in an outage.
 */
export const freeze: Rule = {
  name: "freeze",
  check(input) {
    const { policy, now } = input;
    const names = touchedByPlan(input).flatMap(namesTouched);
    const open = policy.freezeWindows.flatMap((window) => {
      const stretch = window.openAt(now);
      if (stretch === null) return [];
      const { services } = window;
      const hit = services === null || listedName(names, services) !== undefined;
      return hit ? [{ window, until: clockText(stretch.to, now) }] : [];
    });
    return (["deny", "approve", "allow"] as const)
      .map((meaning): RuleAnswer | undefined =>
        allOf(
          VERDICTS[meaning],
          open
            .filter(({ window }) => window.rollbacks === meaning)
            .map(({ window, until }) => own`the freeze ${ours(window.name)} holds until ${until}; ${WORDS[meaning]}`),
        ),
      )
      .find((answer) => answer !== undefined);
  },
};

const VERDICTS = { deny: "deny", approve: "require_approval", allow: "allow" } as const;
const WORDS = {
  deny: "it denies rollbacks too, and only a change of freeze_windows in the file lifts it",
  approve: "each rollback in it needs a person",
  allow: "it lets rollbacks through",
} as const;
