import { allOf, clockText, type Rule } from "../rule.ts";
import { targetText } from "../targets.ts";

/** Two plans that act on one object at once undo each other; one whose result is unknown must be settled first (S2, S5). */
export const targetBusy: Rule = {
  name: "target-busy",
  check({ store, now }) {
    return allOf(
      "deny",
      store.busy.map(
        ({ target, planId, reservedAt }) =>
          `plan ${planId} has acted on ${targetText(target)} since ${clockText(reservedAt, now)} and its result is not known yet`,
      ),
    );
  },
};
