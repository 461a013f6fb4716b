import { own } from "../../model/fenced.ts";
import { clockText } from "../../model/time.ts";
import { deny, type Rule } from "../rule.ts";

/** A plan answers one situation and is valid for a limited time; expiry means no (S4). */
export const expiredPlan: Rule = {
  name: "expired-plan",
  check({ plan, now }) {
    return now < plan.expiresAt
      ? undefined
      : deny(own`the plan expired at ${clockText(plan.expiresAt, now)}; ask for a new one`);
  },
};
