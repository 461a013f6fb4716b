import { own } from "../../model/fenced.ts";
import { clockText } from "../../model/time.ts";
import { name } from "../../model/untrusted-text.ts";
import { allOf, type Rule } from "../rule.ts";
import { targetText } from "../targets.ts";
import { touchedByAct, touchedByPlan, writesToSame } from "../touched.ts";

/**
 * Two plans that act on one object at once undo each other. A plan whose result is unknown must be settled first,
 * since what was sent to a target that hangs may still take effect (S2, S5).
 */
export const targetBusy: Rule = {
  name: "target-busy",
  check(input) {
    const { policy, store, now } = input;
    const touched = touchedByPlan(input);
    const busy = store.busy.filter((intent) =>
      touched.some((one) => writesToSame(one, touchedByAct(intent, policy.services))),
    );
    return allOf(
      "deny",
      busy.map(
        ({ target, planId, reservedAt }) =>
          own`plan ${name(planId)} has acted on ${targetText(target)} since ${clockText(reservedAt, now)} and its result is not known yet`,
      ),
    );
  },
};
