import type { Target } from "../../model/plan.ts";
import { canonicalJson } from "../canonical-json.ts";
import { askPerson, type Rule } from "../rule.ts";

/**
 * Without a person only the plan that the gate's own fresh deterministic decision names may run, target by target
 * and in its order: whoever proposed another one, and however well it was argued, it needs a person (S1, S12).
 * Targets that were settled before a restart are left out of the comparison.
 */
export const freshDecision: Rule = {
  name: "fresh-decision",
  check({ plan, assessment, targets }) {
    if (assessment === null) return undefined;
    const { decision, obstacles } = assessment;
    if (decision.action !== "rollback" && decision.action !== "feature_flag_disable") {
      return askPerson(`the gate's own fresh decision is ${decision.action}: ${decision.why[0] ?? "no reason given"}`);
    }
    const open = new Set(targets.map(({ target }) => canonicalJson(target)));
    const settled = new Set(plan.targets.map((one) => canonicalJson(one)).filter((one) => !open.has(one)));
    const fresh = spelled(assessment.targets).filter((one) => !settled.has(one));
    const planned = spelled(plan.targets).filter((one) => !settled.has(one));
    if (fresh.length > 0 && canonicalJson(fresh) === canonicalJson(planned)) return undefined;
    const instead =
      assessment.targets.length === 0
        ? `no executable plan${obstacles.length === 0 ? "" : ` (${obstacles.join("; ")})`}`
        : assessment.targets.map(({ service, changeId }) => `change ${changeId} of ${service}`).join(", ");
    return askPerson(`the plan is not the one that the gate's own fresh decision names: ${instead}`);
  },
};

const spelled = (targets: readonly Target[]): readonly string[] => targets.map((one) => canonicalJson(one));
