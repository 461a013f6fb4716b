import type { ApprovalFacts } from "../../config/config.ts";
import type { Assessment } from "../../model/assessment.ts";
import { allOf, type Rule } from "../rule.ts";

/**
 * `require_human_approval_if`: people said in which situations they want to be asked. A fact that cannot be
 * computed makes the expression true (S9). What the decision itself wants a person for counts too.
 */
export const humanApproval: Rule = {
  name: "human-approval",
  check({ plan, assessment, policy }) {
    if (assessment === null) return undefined;
    const facts = factsOf(assessment, plan.targets.length);
    const held = policy.chain.flatMap(({ requireHumanApprovalIf }) => {
      const answer = requireHumanApprovalIf?.holds(facts);
      return answer?.holds === true ? [`${requireHumanApprovalIf?.text ?? ""}: ${answer.because}`] : [];
    });
    return allOf("require_approval", [...held, ...assessment.decision.needsPerson]);
  },
};

function factsOf(assessment: Assessment, targets: number): ApprovalFacts {
  const { answers, findings, decision } = assessment;
  const impact = answers.evaluate_business_impact?.impact;
  const services = answers.check_affected_services?.services ?? impact?.affectedServices;
  const rates = [
    ...findings.flatMap(({ metric, current }) => (metric === "error_rate" && current !== null ? [current] : [])),
    ...assessment.conditions.flatMap(({ metric, value }) => (metric === "error_rate" && value !== null ? [value] : [])),
  ];
  return {
    // A level that was worked out with parts unknown is a lower bound: it cannot show that the impact is small.
    business_impact: impact === undefined || impact.unknown.length > 0 ? null : impact.level,
    affected_services: services?.length ?? null,
    confidence: decision.culprit?.probability ?? null,
    targets,
    error_rate: rates.length === 0 ? (impact?.failedShare ?? null) : Math.max(...rates),
  };
}
