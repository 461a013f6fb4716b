import { own } from "../../model/fenced.ts";
import { name } from "../../model/untrusted-text.ts";
import type { Intent } from "../gate-store.ts";
import { allOf, type Rule } from "../rule.ts";

/**
 * When rollbacks of a service follow each other and no change of it has proved healthy between, rolling back is not
 * the cure; after one that failed or did not help, that is plain at once. Counts plans, not targets (S2).
 */
export const escalation: Rule = {
  name: "escalation",
  check({ plan, policy, store }) {
    const after = policy.guardrails.escalateToHumanAfter;
    const services = [...new Set(plan.targets.map(({ service }) => service))];
    return allOf(
      "require_approval",
      services.flatMap((service) => {
        const row = store.streak.filter((one) => one.target.service === service);
        const failed = row.find(isFailed);
        if (failed !== undefined) {
          return [
            own`the automatic rollback of ${name(service)} by plan ${name(failed.planId)} ${howFailed(failed) ?? "failed"}: a person has to look`,
          ];
        }
        const plans = new Set(row.map(({ planId }) => planId)).size;
        if (after === null || plans < after) return [];
        return [
          own`${name(service)} was taken back ${plans} times automatically with no healthy change between; after ${after} a person decides`,
        ];
      }),
    );
  },
};

const isFailed = (one: Intent): boolean => howFailed(one) !== undefined;

/** Missing proof is not success: an unknown result or verification counts as failed (S9). */
function howFailed({ result, recovery }: Intent) {
  if (result?.result === "failed") return "failed";
  if (result === null || result.result === "unknown") return "has no known result";
  if (recovery === "not-recovered") return "did not bring recovery";
  return recovery === "unknown" ? "could not be verified" : undefined;
}
