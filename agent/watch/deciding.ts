import type { Assessment } from "../../core/model/assessment.ts";
import type { ConditionState } from "../../core/model/finding.ts";
import type { Incident } from "../../core/model/incident.ts";
import { durationText } from "../../core/model/time.ts";
import { actOrWait } from "./acting.ts";
import { finishClosed } from "./aftermath.ts";
import { active, advance, close, note, withAssessment, worse } from "./incident-state.ts";
import { emit, escalate, type Pursuit } from "./pursuit.ts";
import { suspects } from "./wording.ts";

/**
 * How long trouble must be gone before an incident without an action is closed, in steps. Ten: two of the longest
 * rate windows that a scrape of five steps fills, so that a signal that flaps inside one window stays one incident.
 */
const QUIET_STEPS = 10;

/** Assesses the evidence as it stands, records a decision when it is one, and goes on to act or wait. */
export async function decideAndAct(before: Incident, pursuit: Pursuit): Promise<void> {
  const { parts, caseFile, save } = pursuit;
  const now = caseFile.at;
  const assessment = parts.assess(caseFile, [...new Set([before.service, ...before.affectedServices])]);
  const quietSince = quietSinceOf(before, assessment, now);
  if (quietSince !== null) {
    if (now - quietSince < QUIET_STEPS * parts.config.watch.stepMs) return save(markQuiet(before, quietSince));
    return closeQuiet(before, pursuit, quietSince);
  }
  let incident = withAssessment(unmarkQuiet(before), assessment);
  if (isDecided(assessment) && decisionChanged(before, assessment)) incident = await recordDecision(incident, pursuit);
  else if (before.stage === "detected" && suspects(incident) !== suspects(before))
    emit(pursuit, "incident.assessed", suspects(incident), incident);
  const { action } = assessment.decision;
  if (action === "no_action" || action === "hotfix_recommendation") return save(incident);
  if (assessment.targets.length === 0) return save(incident);
  await actOrWait(incident, assessment, pursuit);
}

/** A decision to act is one as soon as the core names it; "no action" is one when "no change" has enough probability. */
function isDecided(assessment: Assessment): boolean {
  if (assessment.decision.action !== "no_action") return true;
  const timing = assessment.answers.correlate_timing;
  return timing !== undefined && timing.ranking.noChangeProbability >= timing.threshold;
}

const DECIDED = "decided";

function decisionChanged(before: Incident, { decision, conditions }: Assessment): boolean {
  const last = before.timeline.findLast(({ event }) => event.startsWith(DECIDED));
  return last?.event !== decisionName(decision, conditions);
}

/** "No action" while a policy's condition holds is another decision than before it held: people must be told. */
function decisionName(
  { action, changeIds, culprit }: Assessment["decision"],
  conditions: readonly ConditionState[],
): string {
  const held =
    action === "no_action" && conditions.some(({ state }) => state === "firing")
      ? ["while a policy condition holds"]
      : [];
  const about = changeIds.length > 0 ? changeIds : culprit === null ? [] : [culprit.changeId];
  return `${DECIDED}: ${[action, ...about, ...held].join(" ")}`;
}

/** Runs the chain over the same evidence, records both, and tells people where nothing will be done by itself. */
async function recordDecision(before: Incident, pursuit: Pursuit): Promise<Incident> {
  const { parts, caseFile } = pursuit;
  const { decision } = before;
  if (decision === null) return before;
  const chain = await parts.reason(before, caseFile);
  await parts.ledger.append({
    kind: "chain.finished",
    incidentId: before.id,
    planId: null,
    actor: "watch",
    body: chain.body,
  });
  let incident: Incident = { ...before, usage: addUsage(before.usage, chain.usage) };
  incident = advance(
    incident,
    "investigated",
    caseFile.at,
    decisionName(decision, before.conditions),
    decision.why.join(" "),
  );
  incident = note(incident, caseFile.at, chain.agrees ? "chain agrees" : "chain disagrees", chain.summary);
  emit(pursuit, "incident.assessed", suspects(incident), incident);
  emit(pursuit, "incident.decided", `${decision.action}: ${decision.why.join(" ")}`, incident);
  if (decision.action === "hotfix_recommendation" || (decision.action === "no_action" && firing(incident))) {
    incident = await escalate(
      incident,
      pursuit,
      decision.action === "no_action" ? "No change is to blame; nothing will be undone." : "A person must mend this.",
    );
  }
  return incident;
}

function firing(incident: Incident): boolean {
  return incident.conditions.some(({ state }) => state === "firing");
}

/** Trouble that is over before anything was done: withdrawn if an action was decided, otherwise no action. */
async function closeQuiet(before: Incident, pursuit: Pursuit, since: number): Promise<void> {
  const { parts, caseFile, save } = pursuit;
  const acting = before.decision?.action === "rollback" || before.decision?.action === "feature_flag_disable";
  const outcome =
    before.decision?.action === "hotfix_recommendation" ? "recommended" : acting ? "withdrawn" : "no-action";
  const passed = durationText(Math.max(0, since - before.detectedAt));
  const detail = `The signals came back by themselves ${passed} after detection.`;
  const closed = close(unmarkQuiet(before), outcome, caseFile.at, detail);
  await save(closed);
  emit(pursuit, "incident.closed", `${outcome}: ${detail}`, closed);
  await finishClosed(closed, parts);
}

const QUIET = "quiet since";

function quietSinceOf(before: Incident, assessment: Assessment, now: number): number | null {
  if (worse(assessment.findings).length > 0 || active(assessment.conditions).length > 0) return null;
  const last = before.timeline.at(-1);
  return last?.event === QUIET ? last.at : now;
}

function markQuiet(incident: Incident, since: number): Incident {
  return incident.timeline.at(-1)?.event === QUIET ? incident : note(incident, since, QUIET, "no signal is wrong");
}

function unmarkQuiet(incident: Incident): Incident {
  return { ...incident, timeline: incident.timeline.filter(({ event }) => event !== QUIET) };
}

function addUsage(a: Incident["usage"], b: Incident["usage"]): Incident["usage"] {
  return {
    inputTokens: a.inputTokens + b.inputTokens,
    outputTokens: a.outputTokens + b.outputTokens,
    toolCalls: a.toolCalls + b.toolCalls,
  };
}
