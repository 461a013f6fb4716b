import { type Fenced, joined, ours, own } from "../../model/fenced.ts";
import type { ConditionState } from "../../model/finding.ts";
import { name } from "../../model/untrusted-text.ts";
import { askPerson, type Rule } from "../rule.ts";

/**
 * The file agrees to action without approval only under its automatic conditions: one of them has to hold now, as
 * the gate itself reads it (S1). Where one does, the rule names it.
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
        ? own`no automatic policy condition holds now`
        : own`no automatic policy condition holds now, only ${conditionsText(firing)}`,
    );
  },
};

/** Each condition once, with all the services for which it fires: a long cascade must stay readable at night. */
function conditionsText(conditions: readonly ConditionState[]): Fenced {
  const services = new Map<Fenced, Fenced[]>();
  for (const { policy, text, service } of conditions) {
    const condition = own`${ours(policy)}: ${ours(text)}`; // as people wrote them in the file
    services.set(condition, [...(services.get(condition) ?? []), name(service)]);
  }
  return joined(
    [...services].map(([condition, names]) => own`${condition} (${joined([...new Set(names)], ", ")})`),
    "; ",
  );
}
