import type { ApprovalFacts, ChainStep } from "../config/config.ts";
import type { StepAnswers } from "../model/assessment.ts";
import type { ConditionState, Finding } from "../model/finding.ts";

/** What an approval expression is judged by. Findings and conditions: of the services that are meant alone. */
export interface ApprovalBasis {
  readonly answers: StepAnswers;
  readonly findings: readonly Finding[];
  readonly conditions: readonly ConditionState[];
  /** Of the culprit; null: none is named. */
  readonly probability: number | null;
  /** How many targets would be changed. */
  readonly targets: number;
}

/**
 * The facts that `require_human_approval_if` may name, for the decision and for the gate alike. Null: cannot be
 * computed, which makes an expression that names it true (S9). Error rate: the worst that anything measured, 0 to 1.
 */
export function approvalFacts({ answers, findings, conditions, probability, targets }: ApprovalBasis): ApprovalFacts {
  const impact = answers.evaluate_business_impact?.impact;
  const services = answers.check_affected_services?.services ?? impact?.affectedServices;
  const rates = [
    ...findings.flatMap(({ metric, current }) => (metric === "error_rate" && current !== null ? [current] : [])),
    ...conditions.flatMap(({ metric, value }) => (metric === "error_rate" && value !== null ? [value] : [])),
  ];
  return {
    // A level that was worked out with parts unknown is a lower bound: it cannot show that the impact is small.
    business_impact:
      impact === undefined || impact.level === "unknown" || impact.unknown.length > 0 ? null : impact.level,
    affected_services: services?.length ?? null,
    confidence: probability,
    targets,
    error_rate: rates.length === 0 ? (impact?.failedShare ?? null) : Math.max(...rates),
  };
}

/** Why the configured expressions ask for a person, each with its figures and its own text; empty: none does. */
export function askedByExpressions(chain: readonly ChainStep[], facts: ApprovalFacts): readonly string[] {
  return chain.flatMap(({ requireHumanApprovalIf }) => {
    const answer = requireHumanApprovalIf?.holds(facts);
    return answer?.holds === true ? [answer.because] : [];
  });
}
