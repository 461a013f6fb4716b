import { own } from "../../model/fenced.ts";
import { allOf, type Rule } from "../rule.ts";
import { allowancesFor } from "./allowed-actions.ts";

/** `require_approval: true`: this kind of action always needs approval, whatever else holds. */
export const requireApproval: Rule = {
  name: "require-approval",
  check({ plan, policy }) {
    return allOf(
      "require_approval",
      plan.targets
        .filter((target) => allowancesFor(target, policy).some((allowed) => allowed.requireApproval))
        .map(({ action }) => own`execution.allowed_actions says that ${action} requires approval`),
    );
  },
};
