import type { Assessment } from "../../core/model/assessment.ts";
import type { Incident } from "../../core/model/incident.ts";
import { durationText } from "../../core/model/time.ts";
import { actOrWait, answeredByPerson, submit } from "./acting.ts";
import { finishClosed } from "./aftermath.ts";
import { DECIDED } from "./arguing.ts";
import {
  active,
  advance,
  close,
  hasSameCause,
  joinedBy,
  note,
  servicesOf,
  withAssessment,
  worse,
} from "./incident-state.ts";
import { DETECTED_ANEW, headlineOf, isFiring, isNobodysFault, isWithheld, untold, withTold } from "./nothing-undone.ts";
import { type Passed, passed } from "./passed.ts";
import { emit, escalate, type Pursuit } from "./pursuit.ts";
import { unseen } from "./sight.ts";
import { standingDecision } from "./standing.ts";
import { decisionText, suspects } from "./wording.ts";

/**
 * How long trouble must be gone before an incident without an action is closed, in steps. Ten: two of the longest
 * rate windows that a scrape of five steps fills, so that a signal that flaps inside one window stays one incident.
 * As long as that, too, may a policy's condition fire before people hear that no change is sure enough.
 */
export const QUIET_STEPS = 10;

/** Assesses the evidence as it stands, records a decision when it is one, and goes on to act or wait. */
export async function decideAndAct(before: Incident, pursuit: Pursuit): Promise<void> {
  const { parts, caseFile, save } = pursuit;
  // A person's answer counts whatever the signals do since; the gate judges the plan once more.
  if (before.plan !== null && (await answeredByPerson(before, pursuit)))
    return submit(unmark(before), before.plan.id, pursuit);
  const assessment = parts.assess(caseFile, servicesOf(before));
  if (worse(assessment.findings).length === 0 && active(assessment.conditions).length === 0) {
    const silent = unseen(before, assessment, caseFile, parts.config.watch.stepMs);
    return silent.length > 0 ? awaitSight(before, silent, pursuit) : awaitQuiet(before, pursuit);
  }
  const older = pursuit.open().find((one) => one.id !== before.id && hasSameCause(one, assessment.decision));
  if (older !== undefined && before.plan === null && goesFirst(older, before)) return joinOlder(before, older, pursuit);
  const standing = standingDecision(before, assessment, caseFile);
  const assessed = withAssessment(unmark(before), assessment);
  // What it was decided upon stays with it: the onset, too.
  if (standing !== null) return save({ ...assessed, decision: standing, onset: before.onset });
  let incident = redated(assessed, before, caseFile.at);
  const decided = isDecided(assessment) || isOverdue(before, assessment, pursuit);
  if (decided && decisionChanged(incident, assessment)) incident = await recordDecision(incident, assessment, pursuit);
  else if (before.stage === "detected" && suspects(incident) !== suspects(before))
    emit(pursuit, "incident.assessed", suspects(incident), incident);
  incident = withTold(incident, assessment);
  const { action } = assessment.decision;
  if (action === "no_action" || action === "hotfix_recommendation") return save(incident);
  if (assessment.targets.length === 0) return save(await sayObstacles(incident, assessment, pursuit));
  await actOrWait(incident, assessment, pursuit);
}

/**
 * Whether `other`, which has no plan, goes on in `one`: one has a plan already, so that a second would ask for the same, or
 * is older.
 */
const goesFirst = (one: Incident, other: Incident): boolean =>
  one.plan !== null || one.detectedAt < other.detectedAt || (one.detectedAt === other.detectedAt && one.id < other.id);

/** What turns out to have the cause of an incident that stands already goes on there: one cause, one plan, one story. */
async function joinOlder(before: Incident, older: Incident, pursuit: Pursuit): Promise<void> {
  await pursuit.save(joinedBy(older, servicesOf(before), pursuit.caseFile.at));
  await finish(before, "withdrawn", `It has the cause of ${older.id}, and goes on there.`, pursuit);
}

/**
 * A small deviation opens an incident; long after, something grave begins at the same place. Where the evidence dates the
 * onset after the detection and nothing was planned yet, it is that which was detected, now.
 */
function redated(incident: Incident, before: Incident, at: number): Incident {
  const { onset, detectedAt } = incident;
  if (before.plan !== null || onset === null || onset.earliest <= detectedAt) return incident;
  return note({ ...incident, detectedAt: at }, at, DETECTED_ANEW, "what is wrong now began after the first detection");
}

/** There is something to undo and nothing here that can: people hear of it once policy asks for an answer. */
async function sayObstacles(incident: Incident, assessment: Assessment, pursuit: Pursuit): Promise<Incident> {
  const asked = isFiring(assessment);
  const late = pursuit.caseFile.at - incident.detectedAt >= QUIET_STEPS * pursuit.parts.config.watch.stepMs;
  if (!asked && !late) return incident;
  const why = assessment.obstacles.join("; ").replace(/\.$/, "") || "no target is known";
  return escalate(incident, pursuit, `The change cannot be undone from here: ${why}.`);
}

/** A decision to act is one as soon as the core names it; "no action" is one when "no change" has enough probability. */
function isDecided(assessment: Assessment): boolean {
  return assessment.decision.action !== "no_action" || isNobodysFault(assessment);
}

/**
 * A policy's condition fires, and for a good while now the evidence has named nothing to undo: that is an answer too. So
 * is a culprit that is left alone for people to weigh, once its trouble has lasted for as long as a recovery may take.
 */
function isOverdue(before: Incident, assessment: Assessment, { parts, caseFile }: Pursuit): boolean {
  const lasted = caseFile.at - before.detectedAt;
  if (isFiring(assessment)) return lasted >= QUIET_STEPS * parts.config.watch.stepMs;
  return isWithheld(assessment) && lasted >= parts.config.feedback.timeoutMs;
}

function decisionChanged(incident: Incident, assessment: Assessment): boolean {
  const last = incident.timeline.findLast(({ event }) => event.startsWith(DECIDED));
  if (last?.event !== decisionName(assessment)) return true;
  return assessment.decision.action === "no_action" && untold(incident, assessment).length > 0;
}

/** "No action" while a policy's condition holds is another decision than before it held: people must be told. */
function decisionName(assessment: Assessment): string {
  const { action, changeIds, culprit } = assessment.decision;
  const held = action === "no_action" && isFiring(assessment) ? ["while a policy condition holds"] : [];
  const about = changeIds.length > 0 ? changeIds : culprit === null ? [] : [culprit.changeId];
  return `${DECIDED}: ${[action, ...about, ...held].join(" ")}`;
}

/** Writes the decision down, and tells people where nothing will be done by itself. */
async function recordDecision(before: Incident, assessment: Assessment, pursuit: Pursuit): Promise<Incident> {
  const { decision } = assessment;
  const { at } = pursuit.caseFile;
  const known = before.ranking === null ? before : { ...before, decidedRanking: before.ranking };
  const incident = advance(known, "investigated", at, decisionName(assessment), decision.why.join("; "));
  emit(pursuit, "incident.assessed", suspects(incident), incident);
  emit(pursuit, "incident.decided", decisionText(incident), incident);
  if (decision.action === "hotfix_recommendation") {
    const what = decision.culprit?.changeId ?? decision.service;
    return escalate(incident, pursuit, `A person must mend this: ${what} cannot be taken back safely.`);
  }
  if (decision.action !== "no_action" || !(isFiring(assessment) || isWithheld(assessment))) return incident;
  return escalate(incident, pursuit, headlineOf(incident, assessment));
}

const QUIET = "quiet since";
const SILENT = "silent since";

/** Nothing is wrong any more: after a while of that the incident is over. */
async function awaitQuiet(before: Incident, pursuit: Pursuit): Promise<void> {
  const marked = mark(before, QUIET, "no signal is wrong", pursuit);
  const since = marked.timeline.at(-1)?.at ?? pursuit.caseFile.at;
  if (pursuit.caseFile.at - since < QUIET_STEPS * pursuit.parts.config.watch.stepMs) return pursuit.save(marked);
  const { outcome, because } = await passed(before, pursuit.caseFile.at, pursuit.parts.ledger);
  const after = durationText(Math.max(0, since - before.detectedAt));
  await finish(before, outcome, `${because}The signals came back by themselves ${after} after detection.`, pursuit);
}

/** What was wrong cannot be seen: neither an end nor a reason to act. It does not stay open for ever (S9). */
async function awaitSight(before: Incident, silent: readonly string[], pursuit: Pursuit): Promise<void> {
  const marked = mark(before, SILENT, `nothing is known of ${silent.join(", ")}`, pursuit);
  const since = marked.timeline.at(-1)?.at ?? pursuit.caseFile.at;
  if (pursuit.caseFile.at - since < pursuit.parts.config.feedback.timeoutMs) return pursuit.save(marked);
  const headline = `The signals of this incident fell silent (${silent.join(", ")}): nobody knows how it stands.`;
  await finish(await escalate(marked, pursuit, headline), "unknown", headline, pursuit);
}

async function finish(
  incident: Incident,
  outcome: Passed["outcome"] | "unknown",
  detail: string,
  pursuit: Pursuit,
): Promise<void> {
  const closed = close(unmark(incident), outcome, pursuit.caseFile.at, detail);
  await pursuit.save(closed);
  emit(pursuit, "incident.closed", `${outcome}: ${detail}`, closed);
  await finishClosed(closed, pursuit.parts);
}

/** The incident with this mark as the last line of its timeline; one that stands there already keeps its time. */
function mark(incident: Incident, event: string, detail: string, { caseFile }: Pursuit): Incident {
  if (incident.timeline.at(-1)?.event === event) return incident;
  return note(unmark(incident), caseFile.at, event, detail);
}

function unmark(incident: Incident): Incident {
  return { ...incident, timeline: incident.timeline.filter(({ event }) => event !== QUIET && event !== SILENT) };
}
