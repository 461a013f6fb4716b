import { own } from "../../model/fenced.ts";
import { askPerson, type Rule } from "../rule.ts";
import { overBudget } from "./rollbacks-per-hour.ts";

export const DAY_MS = 86_400_000;

/** A day with many automatic rollbacks needs a person's review. Only rollbacks without an approval count. */
export const autoRollbacksPerDay: Rule = {
  name: "auto-rollbacks-per-day",
  check({ plan, policy, store, now }) {
    const limit = policy.guardrails.maxAutoRollbacksPerDay;
    if (limit === null) return undefined;
    const used = store.used.filter(({ automatic }) => automatic);
    const over = overBudget({ used, wanted: plan.targets.length, limit, windowMs: DAY_MS, now });
    return over === undefined
      ? undefined
      : askPerson(own`${over.count} automatic rollbacks today used; ${over.next}${over.by}`);
  },
};
