import type { ConditionState } from "../../model/finding.ts";
import { askPerson, type Rule } from "../rule.ts";

/**
 * Acting without a person is what people agreed to when they wrote an automatic condition, and to nothing else: one
 * has to hold now, as the gate reads it itself (S1). Where it does, the rule says which.
 */
export const automaticCondition: Rule = {
  name: "automatic-condition",
  check({ assessment, policy }) {
    if (assessment === null) return undefined;
    const automatic = new Set(
      policy.policies.filter(({ action }) => action === "rollback_immediate").map(({ name }) => name),
    );
    const meant = new Set([...assessment.services, ...(assessment.answers.check_affected_services?.services ?? [])]);
    const firing = assessment.conditions.filter(({ state, service }) => state === "firing" && meant.has(service));
    const held = firing.filter((one) => automatic.has(one.policy));
    if (held.length > 0 && assessment.decision.automatic) return { verdict: "allow", reason: conditionsText(held) };
    return askPerson(
      firing.length === 0
        ? "no automatic policy condition holds now"
        : `no automatic policy condition holds now, only ${conditionsText(firing)}`,
    );
  },
};

/** Each condition once, with all the services for which it fires: a long cascade must stay readable at night. */
function conditionsText(conditions: readonly ConditionState[]): string {
  const services = new Map<string, string[]>();
  for (const { policy, text, service } of conditions) {
    const condition = `${policy}: ${text}`;
    services.set(condition, [...(services.get(condition) ?? []), service]);
  }
  return [...services].map(([condition, names]) => `${condition} (${[...new Set(names)].join(", ")})`).join("; ");
}
