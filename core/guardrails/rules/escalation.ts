import { own } from "../../model/fenced.ts";
import { name } from "../../model/untrusted-text.ts";
import type { Intent } from "../gate-store.ts";
import { allOf, type Rule, type RuleInput } from "../rule.ts";
import { provedHealthyAt, rolledBackByBoth, touchedByAct, touchedByPlan } from "../touched.ts";

/**
 * Where rollbacks of a service follow each other and no change of it has proved healthy in between, rolling back
 * does not help; after one that failed or brought no recovery, that is known at once. Counts plans, not targets
 * (S2), under whatever name: each act that rolled back the service, or the same object.
 */
export const escalation: Rule = {
  name: "escalation",
  check(input) {
    const after = input.policy.guardrails.escalateToHumanAfter;
    return allOf(
      "require_approval",
      [...rowsOf(input)].flatMap(([service, row]) => {
        const failed = row.find(isFailed);
        if (failed !== undefined) {
          return [
            own`the automatic rollback of ${name(service)} by plan ${name(failed.planId)} ${howFailed(failed) ?? "failed"}: needs a person to investigate`,
          ];
        }
        const plans = new Set(row.map(({ planId }) => planId)).size;
        if (after === null || plans < after) return [];
        return [
          own`${name(service)} was rolled back ${plans} times automatically with no healthy change between; after ${after} a person decides`,
        ];
      }),
    );
  },
};

/** For each service that the plan would roll back, the automatic rollbacks of it since its last healthy change. */
function rowsOf(input: RuleInput): ReadonlyMap<string, readonly Intent[]> {
  const { policy, store } = input;
  const rows = new Map<string, readonly Intent[]>();
  const acts = store.automatic.map((act) => ({ act, touched: touchedByAct(act, policy.services) }));
  for (const one of touchedByPlan(input)) {
    for (const { act, touched } of acts) {
      for (const service of rolledBackByBoth(one, touched)) {
        if (provedHealthyAt(service, one, touched, store.healthy) >= act.reservedAt) continue;
        rows.set(service, [...(rows.get(service) ?? []), act]);
      }
    }
  }
  return rows;
}

const isFailed = (one: Intent): boolean => howFailed(one) !== undefined;

/** Missing proof is not success: an unknown result or verification counts as failed (S9). */
function howFailed({ result, recovery }: Intent) {
  if (result?.result === "failed") return "failed";
  if (result === null || result.result === "unknown") return "has no known result";
  if (recovery === "not-recovered") return "did not bring recovery";
  return recovery === "unknown" ? "could not be verified" : undefined;
}
