import type { Config } from "../../core/config/config.ts";
import { ruleLines } from "../../core/guardrails/as-of-now.ts";
import { incidentTitle } from "../../core/guardrails/incident-text.ts";
import { planDiff } from "../../core/guardrails/plan-diff.ts";
import { saidReason } from "../../core/guardrails/said-reason.ts";
import { fencedIncident } from "../../core/model/fenced-incident.ts";
import type { Incident } from "../../core/model/incident.ts";
import { type GateReview, NO_INCIDENT, type Plan } from "../../core/model/plan.ts";
import { asItStands } from "../../core/model/recorded.ts";
import { clockText } from "../../core/model/time.ts";
import { escapeControls, name } from "../../core/model/untrusted-text.ts";

/**
 * A plan as the person who approves it reads it, as a diff: target by target what runs and what will run, what else
 * moves with it, what stays as it is, what holds it, and who may say yes. `review`: what the gate last said of it;
 * `now`: Unix ms.
 */
export function planText(plan: Plan, config: Config, review?: GateReview, now = plan.createdAt): readonly string[] {
  const about = plan.incidentId === NO_INCIDENT ? "outside any incident" : `incident ${plan.incidentId}`;
  const { targets, alsoMoves, notCovered, heldBy, mayApprove, peopleNeeded } = planDiff(plan, config, review);
  const names = mayApprove.length === 0 ? "nobody in the file (approvers)" : mayApprove.join(", ");
  return [
    `Plan ${plan.id}, ${about}, proposed by ${name(plan.proposedBy)}, valid until ${clockText(plan.expiresAt, now)}:`,
    ...targets.flatMap(({ action, object, service, runsNow, willRun }, index) => [
      `  ${index + 1}. ${action}: ${object}, service ${service}`,
      `     - runs now:  ${runsNow}`,
      `     + will run:  ${willRun}`,
    ]),
    ...section("Also moves", alsoMoves, "nothing else that unship knows of"),
    ...section("Not covered", notCovered, "nothing"),
    ...section("Why", reasons(plan), "no reason is recorded"),
    ...ruleLines({ rules: heldBy }).map((line) => `  ${line}`),
    `  May approve: ${names}${peopleNeeded === 2 ? "; two of them have to" : ""}`,
    // A line each: whoever proposed it wrote the reason, and it must not pass for what the gate says.
  ].map(escapeControls);
}

/** What an open incident does to people, for whoever approves its plan: "checkout degraded since …: error rate 22 %; 2 services affected: …". */
export function damageLines(incident: Incident | null, now: number): readonly string[] {
  if (incident === null || incident.stage === "closed") return [];
  const { incident: shown } = fencedIncident(asItStands(incident));
  const { affectedServices: all } = shown;
  const many = `${all.length} service${all.length === 1 ? "" : "s"} affected`;
  return [`${incidentTitle(shown, now)}${all.length === 0 ? "" : `; ${many}: ${all.join(", ")}`}`].map(escapeControls);
}

/** The watch's reasons one by one, numbered, since a line must not begin with what others named; of anybody else's words it is not known where one ends. What is quoted in them stays whole. */
const reasons = (plan: Plan): readonly string[] =>
  plan.proposedBy === "watch"
    ? saidReason(plan)
        .split(/; (?![^«]*»)/)
        .map((reason, index) => `${index + 1}. ${reason}`)
    : [saidReason(plan)];

const section = (heading: string, lines: readonly string[], none: string): readonly string[] =>
  lines.length === 0 ? [`  ${heading}: ${none}.`] : [`  ${heading}:`, ...lines.map((line) => `     ${line}`)];
