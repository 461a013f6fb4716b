import type { Assessment } from "../../model/assessment.ts";
import { type Fenced, joined, own } from "../../model/fenced.ts";
import type { Target } from "../../model/plan.ts";
import { namesIn, sentenceFence } from "../../model/sentence-fence.ts";
import { name } from "../../model/untrusted-text.ts";
import { canonicalJson } from "../canonical-json.ts";
import { askPerson, type Rule } from "../rule.ts";

/**
 * Without approval only the plan that the gate's own fresh deterministic decision names may run, target by target
 * and in its order. Any other plan needs approval, whoever proposed it and for whatever reason (S1, S12). Targets
 * that were settled before a restart are left out of the comparison.
 */
export const freshDecision: Rule = {
  name: "fresh-decision",
  check({ plan, assessment, targets }) {
    if (assessment === null) return undefined;
    const { decision, obstacles } = assessment;
    if (decision.action !== "rollback" && decision.action !== "feature_flag_disable") {
      const why = sentenceFence(namesIn(assessment)).sentence(decision.why[0] ?? "no reason given");
      return askPerson(own`the gate's own fresh decision is ${decision.action}: ${why}`);
    }
    const open = new Set(targets.map(({ target }) => canonicalJson(target)));
    const settled = new Set(plan.targets.map((one) => canonicalJson(one)).filter((one) => !open.has(one)));
    const fresh = spelled(assessment.targets).filter((one) => !settled.has(one));
    const planned = spelled(plan.targets).filter((one) => !settled.has(one));
    if (fresh.length > 0 && canonicalJson(fresh) === canonicalJson(planned)) return undefined;
    const instead =
      assessment.targets.length === 0
        ? own`no executable plan${obstacles.length === 0 ? "" : own` (${obstaclesText(assessment)})`}`
        : joined(
            assessment.targets.map(({ service, changeId }) => own`change ${name(changeId)} of ${name(service)}`),
            ", ",
          );
    return askPerson(own`the plan is not the one that the gate's own fresh decision names: ${instead}`);
  },
};

function obstaclesText(assessment: Assessment): Fenced {
  const { sentence } = sentenceFence(namesIn(assessment));
  return joined(
    assessment.obstacles.map((one) => sentence(one)),
    "; ",
  );
}

const spelled = (targets: readonly Target[]): readonly string[] => targets.map((one) => canonicalJson(one));
