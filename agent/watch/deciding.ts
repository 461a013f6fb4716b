import { isToldOtherwise } from "../../core/guardrails/act-notice.ts";
import type { Assessment } from "../../core/model/assessment.ts";
import type { Decision } from "../../core/model/decision.ts";
import { fencedIncident } from "../../core/model/fenced-incident.ts";
import type { Onset } from "../../core/model/finding.ts";
import type { Incident } from "../../core/model/incident.ts";
import { actOrWait, answeredByPerson, isApprovedAndDue, submit } from "./acting.ts";
import { APART_LOOKS, isBound } from "./allotting.ts";
import { DECIDED } from "./arguing.ts";
import { degradedOf } from "./degraded.ts";
import { awaitEnd, finish, QUIET_STEPS, unmark } from "./ending.ts";
import { advance, hasSameCause, joinedBy, note, servicesOf, withAssessment } from "./incident-state.ts";
import { correctWord, tellWord, wordOf, wordOfAct } from "./last-word.ts";
import {
  DETECTED_ANEW,
  isFiring,
  isHeardAgain,
  isNobodysFault,
  isWithheld,
  untold,
  withTold,
} from "./nothing-undone.ts";
import { ownServices, standingOf } from "./own-signals.ts";
import { passed } from "./passed.ts";
import { emit, type Pursuit } from "./pursuit.ts";
import { basisOf, isSettled } from "./settled.ts";
import { spreadsFrom } from "./spreading.ts";
import { standingDecision } from "./standing.ts";
import { decisionText, suspects, suspectsRoughly } from "./wording.ts";

/** Assesses the evidence as it stands, records a decision when it is one, and goes on to act or wait. */
export async function decideAndAct(before: Incident, pursuit: Pursuit): Promise<void> {
  const { parts, caseFile, save } = pursuit;
  // A person's answer counts whatever the signals do since; the gate judges the plan once more.
  if (before.plan !== null && (await answeredByPerson(before, pursuit)))
    return submit(unmark(before), before.plan.id, pursuit);
  if (isMovedOn(before)) return finishMovedOn(before, pursuit);
  const standing = standingOf(before, ownServices(before, pursuit.open()), caseFile, parts.config.watch.stepMs);
  if (standing.degraded.length === 0) return awaitEnd(before, standing, pursuit);
  if (before.plan !== null && (await isApprovedAndDue(before, pursuit)))
    return submit(unmark(before), before.plan.id, pursuit);
  const known: Incident = { ...unmark(before), signals: [...standing.signals] };
  const focus = pursuit.home(before.id) ?? servicesOf(before);
  // No test finds it worse any more, and it is where it was: it stays, and what was decided stays with it.
  if (focus.every((name) => degradedOf(caseFile).signalsOf(name).length === 0)) return save(known);
  const basis = basisOf(known, focus, caseFile);
  if (isSettled(known, basis, pursuit)) return save(known);
  const assessment = parts.assess(caseFile, focus);
  const older = pursuit.open().find((one) => one.id !== before.id && hasSameCause(one, assessment.decision));
  if (older !== undefined && before.plan === null && goesFirst(older, before))
    return joinOlder(before, older, (id) => `It has the cause of ${id}, and goes on there.`, pursuit);
  const told = standingDecision(before, assessment, caseFile);
  const assessed: Incident = { ...withAssessment(known, assessment), judged: basis };
  // What it was decided upon stays with it: the onset and the ranking, too.
  if (told !== null) {
    const stands: Incident = { ...assessed, decision: told, onset: before.onset, ranking: before.ranking };
    return save(await correctWord(stands, wordOfAct(told), pursuit));
  }
  // What is about to leave dates nothing: its onset goes with it.
  let incident = pursuit.isParting(before.id) ? assessed : redated(assessed, before, assessment);
  const wide = assessment.decision.action === "no_action" ? spreadsFrom(incident, assessment, pursuit) : undefined;
  if (wide !== undefined)
    return joinOlder(
      before,
      wide,
      (id) => `No change explains it, and it began while what ${id} tells of was spreading: it goes on there.`,
      pursuit,
    );
  const waits = assessment.decision.action === "no_action" && mayJoin(before, incident, pursuit);
  const decided = !waits && (isDecided(before, assessment) || isOverdue(before, assessment, pursuit));
  if (decided && decisionChanged(incident, assessment)) incident = await recordDecision(incident, assessment, pursuit);
  else if (before.stage === "detected" && suspectsRoughly(incident) !== suspectsRoughly(before))
    emit(pursuit, "incident.assessed", suspects(incident), incident);
  incident = withTold(incident, assessment);
  // Of an act people hear by what becomes of it.
  if (decided && assessment.targets.length === 0)
    incident = await correctWord(incident, wordOf(incident, assessment), pursuit);
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
async function joinOlder(
  before: Incident,
  older: Incident,
  why: (id: string) => string,
  pursuit: Pursuit,
): Promise<void> {
  const services = servicesOf(before);
  await pursuit.amend(older.id, (one) => joinedBy(one, services, pursuit.caseFile.at));
  await finish({ ...before, joined: older.id }, "withdrawn", why(older.id), pursuit);
}

/** Somebody changed again all that its plan would have undone, before it was carried out: newer incidents judge that. */
function isMovedOn({ plan, superseded = [], ...incident }: Incident): boolean {
  const left = new Set(superseded.map(({ service }) => service));
  if (left.size === 0) return false;
  const nothingLeft = servicesOf({ plan, superseded, ...incident }).length === 0;
  return nothingLeft || (plan?.targets.every(({ service }) => left.has(service)) ?? false);
}

async function finishMovedOn(before: Incident, pursuit: Pursuit): Promise<void> {
  const { outcome, because } = await passed(before, pursuit.caseFile.at, pursuit.parts.ledger);
  const what = (before.superseded ?? []).map((one) => one.what).join("; ");
  await finish(before, outcome, `${because}Nothing was undone: ${what}.`, pursuit);
}

/**
 * A small deviation opens an incident; long after, something grave begins at the same place. Where the evidence dates the
 * onset after the detection and nothing was planned yet, it is that which was detected, now.
 */
function redated(incident: Incident, before: Incident, { at, baselines }: Assessment): Incident {
  const { onset, detectedAt } = incident;
  if (before.plan !== null || onset === null || onset.earliest <= detectedAt) return incident;
  // What is compared with later is what was before this onset, not before an older one.
  const anew = { ...incident, detectedAt: at, baselines: [...baselines] };
  return note(anew, at, DETECTED_ANEW, "what is wrong now began after the first detection");
}

/** There is something to undo and nothing here that can: people hear of it once policy asks for an answer. */
async function sayObstacles(incident: Incident, assessment: Assessment, pursuit: Pursuit): Promise<Incident> {
  const asked = isFiring(assessment);
  const late = pursuit.caseFile.at - incident.detectedAt >= QUIET_STEPS * pursuit.parts.config.watch.stepMs;
  return asked || late ? tellWord(incident, wordOf(incident, assessment), pursuit) : incident;
}

/** A decision to act is one as soon as the core names it; "no action" is one when "no change" has enough probability. */
function isDecided(incident: Incident, assessment: Assessment): boolean {
  return assessment.decision.action !== "no_action" || isNobodysFault(incident, assessment);
}

/**
 * Other incidents may have begun at the same moment, and none has a plan: what they saw may yet turn out to be one, as groups
 * become one while their first samples come in. People who are told that nothing is undone are told of the first of them
 * once it stood apart for `APART_LOOKS`, and of the others once they did for as long as an incident must be quiet to end: by then
 * what shares a cause has mostly been found to.
 */
function mayJoin(before: Incident, { onset }: Incident, { parts, caseFile, open }: Pursuit): boolean {
  const { stepMs } = parts.config.watch;
  const steps = ({ detectedAt }: Incident) => (caseFile.at - detectedAt) / stepMs;
  const isCoincident = (other: Onset | null) =>
    onset !== null &&
    other !== null &&
    onset.earliest <= other.latest + stepMs &&
    other.earliest <= onset.latest + stepMs;
  const beside = open().filter(
    (one) => one.id !== before.id && !isBound(one) && steps(one) < QUIET_STEPS && isCoincident(one.onset),
  );
  if (beside.length === 0 || isBound(before)) return false;
  return steps(before) < (beside.every((one) => goesFirst(before, one)) ? APART_LOOKS : QUIET_STEPS);
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
  if (isHeardAgain(incident, assessment)) return true;
  if (assessment.decision.action !== "no_action" || untold(incident, assessment).length === 0) return false;
  // Who were last told something else hear of it once it has stayed so (`correctWord`): until then it is no decision anew.
  return !isToldOtherwise(incident, wordOf(incident, assessment).said);
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
  // What it names and quotes from outside is fenced: a person reads these lines beside ours.
  const { incident: fenced } = fencedIncident(incident);
  emit(pursuit, "incident.assessed", suspects(fenced), incident);
  emit(pursuit, "incident.decided", decisionText(fenced), incident);
  const asks = decision.action === "no_action" ? isFiring(assessment) || isWithheld(assessment) : isHotfix(decision);
  return asks ? tellWord(incident, wordOf(incident, assessment), pursuit) : incident;
}

const isHotfix = ({ action }: Decision): boolean => action === "hotfix_recommendation";
