import type { Config } from "../../core/config/config.ts";
import { ruleLines } from "../../core/guardrails/as-of-now.ts";
import { planDiff } from "../../core/guardrails/plan-diff.ts";
import { saidReason } from "../../core/guardrails/said-reason.ts";
import { type GateReview, NO_INCIDENT, type Plan } from "../../core/model/plan.ts";
import { rfc3339 } from "../../core/model/time.ts";
import { escapeControls, name } from "../../core/model/untrusted-text.ts";

/**
 * A plan as the person who approves it reads it, as a diff: target by target what runs and what will run, what else
 * moves with it, what stays as it is, what holds it, and who may say yes. `review`: what the gate last said of it.
 */
export function planText(plan: Plan, config: Config, review?: GateReview): readonly string[] {
  const about = plan.incidentId === NO_INCIDENT ? "outside any incident" : `incident ${plan.incidentId}`;
  const { targets, alsoMoves, notCovered, heldBy, mayApprove, peopleNeeded } = planDiff(plan, config, review);
  const names = mayApprove.length === 0 ? "nobody in the file (approvers)" : mayApprove.join(", ");
  return [
    `Plan ${plan.id}, ${about}, proposed by ${name(plan.proposedBy)}, valid until ${rfc3339(plan.expiresAt)}:`,
    ...targets.flatMap(({ action, object, service, runsNow, willRun }, index) => [
      `  ${index + 1}. ${action}: ${object}, service ${service}`,
      `     - runs now:  ${runsNow}`,
      `     + will run:  ${willRun}`,
    ]),
    ...section("Also moves", alsoMoves, "nothing else that unship knows of"),
    ...section("Not covered", notCovered, "nothing"),
    `  Why: ${saidReason(plan)}`,
    ...ruleLines({ rules: heldBy }).map((line) => `  ${line}`),
    `  May approve: ${names}${peopleNeeded === 2 ? "; two of them have to" : ""}`,
    // A line each: whoever proposed it wrote the reason, and it must not pass for what the gate says.
  ].map(escapeControls);
}

const section = (heading: string, lines: readonly string[], none: string): readonly string[] =>
  lines.length === 0 ? [`  ${heading}: ${none}.`] : [`  ${heading}:`, ...lines.map((line) => `     ${line}`)];
