import { own } from "../../model/fenced.ts";
import { deny, type Rule } from "../rule.ts";

/** What is executed is what was proposed and shown: a plan whose content does not match its hash is denied (S4). */
export const unchangedPlan: Rule = {
  name: "unchanged-plan",
  check({ plan, contentHash }) {
    return plan.hash === contentHash ? undefined : deny(own`the stored plan no longer fits its hash; it was edited`);
  },
};
