import type { AllowedAction } from "../../config/config.ts";
import { type Fenced, own } from "../../model/fenced.ts";
import type { Target } from "../../model/plan.ts";
import { name } from "../../model/untrusted-text.ts";
import { allOf, type GatePolicy, type Rule } from "../rule.ts";
import { targetText } from "../targets.ts";

/**
 * Only what the file names may be changed: by action, namespace, application and environment. Names must match
 * exactly.
 */
export const allowedActions: Rule = {
  name: "allowed-actions",
  check({ plan, policy }) {
    return allOf(
      "deny",
      plan.targets.flatMap((target) =>
        allowancesFor(target, policy).length > 0
          ? []
          : [own`execution.allowed_actions does not allow ${target.action} on ${placeText(target)}`],
      ),
    );
  },
};

/** The entries of `allowed_actions` that cover a target. */
export function allowancesFor(target: Target, policy: GatePolicy): readonly AllowedAction[] {
  return policy.allowedActions.filter(
    ({ type, namespaces, applications, environments }) =>
      type === target.action &&
      covers(namespaces, target.object.namespace) &&
      covers(applications, target.object.name) &&
      covers(environments, target.environment),
  );
}

/** A list that is not given covers all; one that is given covers what it names, and nothing that has no name. */
function covers(list: readonly string[] | null, name: string | undefined): boolean {
  if (list === null || list.includes("*")) return true;
  return name !== undefined && list.includes(name);
}

function placeText(target: Target): Fenced {
  return target.environment === undefined
    ? targetText(target)
    : own`${targetText(target)} in environment ${name(target.environment)}`;
}
