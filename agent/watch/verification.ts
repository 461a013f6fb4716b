import { silentAfter } from "../../core/detection/silence.ts";
import { deedTime } from "../../core/model/deed.ts";
import { type Incident, isResidual, type OutcomeKind, type Recovery, takenUpAt } from "../../core/model/incident.ts";
import { asRecorded } from "../../core/model/recorded.ts";
import { durationText } from "../../core/model/time.ts";
import { finishJudged } from "./aftermath.ts";
import { degradedOf } from "./degraded.ts";
import { awaitEnd, finish as finishQuiet, mark, markedAt, QUIET_STEPS, unmark, without } from "./ending.ts";
import { explainedElsewhere, withExplained } from "./explained.ts";
import { controllersActUntil } from "./gitops-wait.ts";
import { close, note, withSuperseded } from "./incident-state.ts";
import { type Moved, movedOn } from "./moved-on.ts";
import { likeliestNewcomer, type Newcomer, newcomers, suspectText } from "./newcomers.ts";
import { ownServices, standingOf } from "./own-signals.ts";
import { emit, escalate, type Pursuit, raised } from "./pursuit.ts";
import { stillJudged, withDoubt } from "./still-judged.ts";
import { notRecoveredText, recoveryText } from "./wording.ts";
import { type Worsened, withWorsened, worsened, worsenedText } from "./worsened.ts";

/**
 * Follows the signals after an action until they are back, or the configured time is over; then closes and remembers. What
 * did not prove to help leaves its incident open for as long as its own signals are degraded.
 * Where a GitOps controller could still undo the act, signals that are back are not believed yet. Where somebody changed
 * a target again meanwhile, its signals are no longer about the act: the verification goes on for the others, and where
 * none is left it closes at once as superseded, so that whatever the newer change does is an incident of its own. What is
 * worse since the act than before it is told at once, and is never called recovered. Symptoms that another open incident explains
 * decide nothing.
 */
export async function pursueVerification(before: Incident, pursuit: Pursuit): Promise<void> {
  const { parts, caseFile, save } = pursuit;
  if (isResidual(before)) return followSymptoms(before, pursuit);
  if (!parts.config.feedback.verifyRecovered)
    return endInVain(before, "unknown", "The configuration asks for no verification.", pursuit);
  // What an evaluation read that began before the act was done is about no time after it.
  if (caseFile.at < (deedTime(before)?.latest ?? Number.NEGATIVE_INFINITY)) return;
  const moved = movedOn(before, caseFile);
  const judged = stillJudged(before, [...(before.superseded ?? []), ...moved], caseFile.topology);
  if (judged === null) return supersede(before, moved, pursuit);
  const explained = explainedElsewhere(before, pursuit.open(), caseFile);
  const worse = worsened(before, caseFile).filter(({ service }) => judged.isAsked(service) && !explained.has(service));
  const known = await tellWorse(withSuperseded(before, moved, caseFile.at), worse, pursuit);
  // What a newer change can reach speaks of that change; a target that it can reach is asked, with doubt.
  const conditions = caseFile.conditions.filter(
    ({ service }) => judged.isAsked(service) || judged.doubtful.has(service),
  );
  const answer = await parts.recovery(judged.incident, { at: caseFile.at, conditions }, pursuit.abort);
  const seen = withDoubt(answer, judged.doubtful);
  const since = verifiedSince(before);
  const isOver = caseFile.at >= since + parts.config.feedback.timeoutMs;
  const found = withExplained(seen, explained, caseFile.at, isOver);
  const recovery = endless(withWorsened(found, worse, isOver), since, pursuit);
  const incident: Incident = { ...known, recovery };
  if (recovery.verdict === "pending") return save(incident);
  const undoneUntil = controllersActUntil(before, caseFile, parts.config.feedback.gitOpsWaitMs);
  if (recovery.verdict === "recovered" && undoneUntil !== null && caseFile.at < undoneUntil) {
    const waiting = noteOnce(without(known, DOUBTED), caseFile.at, undoneUntil);
    return save({ ...waiting, recovery: { ...recovery, verdict: "pending" } });
  }
  // What was back once and waits for its controller alone is not called failed for a sample that is late or odd.
  if (recovery.verdict !== "recovered" && undoneUntil !== null && isWaiting(known)) {
    const doubted = mark(known, DOUBTED, recoveryText(recovery), caseFile.at);
    if (caseFile.at - (markedAt(doubted, DOUBTED) ?? 0) <= silentAfter(parts.config.watch.stepMs))
      return save({ ...doubted, recovery: { ...recovery, verdict: "pending", at: null } });
  }
  const text = [recoveryText(recovery), ...notJudged(incident)].join("; ");
  if (recovery.verdict === "recovered") return finish(incident, "recovered", text, pursuit);
  const headline = notRecoveredText(recovery.verdict, text, parts.config.feedback);
  const suspect = suspectAfter(incident, pursuit);
  // It is notified from the record, once it is recorded as the end of its act.
  const told = raised(incident, pursuit, suspect === undefined ? headline : `${headline} ${suspectText(suspect)}`);
  await endInVain(told, recovery.verdict, text, pursuit);
}

/** The change that is suspected of what began after the act at a service of the incident, and that no incident blames. */
function suspectAfter(incident: Incident, pursuit: Pursuit): Newcomer | undefined {
  const { parts, caseFile, named } = pursuit;
  const executedAt = incident.gate?.executedAt ?? null;
  if (executedAt === null) return undefined;
  const { services } = degradedOf(caseFile);
  const wrong = symptomsOf(incident, pursuit).filter((name) => services.has(name));
  const among = newcomers(executedAt, wrong, caseFile, named);
  const found = among.length === 0 ? undefined : likeliestNewcomer(parts.assess(caseFile, wrong), among, executedAt);
  return found?.isBlamed === true ? undefined : found;
}

/** Since when it is verified: when the act was done; where nobody knows, when that began; and where the watch was started again, then. */
function verifiedSince(incident: Incident): number {
  const began = incident.timeline.findLast(({ event }) => VERIFIED_AFTER.includes(event))?.at;
  const since = deedTime(incident)?.latest ?? began ?? incident.detectedAt;
  return Math.max(since, takenUpAt(incident) ?? since);
}

/** The timeline's lines after which an incident is verified. */
const VERIFIED_AFTER: readonly string[] = ["executed", "stopped", "submitted"];

/**
 * A verification that is still pending after its time, and after the longest that a signal may pause before it counts as
 * silent, is not going to end by itself: nobody knows how it stands (S9).
 */
function endless(recovery: Recovery, since: number, { parts, caseFile }: Pursuit): Recovery {
  const { feedback, watch } = parts.config;
  const isLate = caseFile.at >= since + feedback.timeoutMs + 2 * silentAfter(watch.stepMs);
  if (recovery.verdict !== "pending" || !isLate) return recovery;
  return { ...recovery, verdict: "unknown", at: caseFile.at };
}

/** People hear of it once, and before the verification is over, where the act may have done harm of its own. */
async function tellWorse(incident: Incident, worse: readonly Worsened[], pursuit: Pursuit): Promise<Incident> {
  const { caseFile, parts } = pursuit;
  const headline = worsenedText(worse, caseFile.at, QUIET_STEPS * parts.config.watch.stepMs);
  const isTold = incident.timeline.some(({ told }) => told === "made-worse");
  return headline === null || isTold ? incident : escalate(incident, pursuit, headline, "made-worse");
}

/** Nothing is left that speaks of the act: it closes at once, and whatever the newer changes do is judged by itself. */
async function supersede(before: Incident, moved: readonly Moved[], pursuit: Pursuit): Promise<void> {
  const told = [...(before.superseded ?? []), ...moved].map(({ what }) => what).join("; ");
  const text = `${told}: whether the act helped can no longer be determined. What the newer change does is judged by itself.`;
  await finish({ ...before, recovery: null, unverified: [...before.unverified, text] }, "superseded", text, pursuit);
}

/** Which services the verdict does not speak of. */
const notJudged = ({ superseded = [] }: Incident): readonly string[] =>
  superseded.length === 0
    ? []
    : [`not judged: ${superseded.map(({ service }) => service).join(", ")}, where another change is at work since`];

const WAITING = "waiting for the GitOps controller";

/** Since when signals that were back are not, each time that one looks. */
const DOUBTED = "not back any more since";

const isWaiting = ({ timeline }: Incident): boolean => timeline.some(({ event }) => event === WAITING);

function noteOnce(incident: Incident, at: number, until: number): Incident {
  if (isWaiting(incident)) return incident;
  const rest = durationText(Math.max(0, until - at));
  return note(incident, at, WAITING, `the signals are back; it may still undo the act for ${rest}`);
}

/** Closes the incident, then sees to memory and postmortem. */
async function finish(incident: Incident, outcome: OutcomeKind, detail: string, pursuit: Pursuit): Promise<void> {
  const at = judgedAt(incident, pursuit);
  const text = `${afterOnset(incident, at)}${detail}`;
  const closed = close(incident, outcome, at, text);
  await pursuit.save(closed);
  emit(pursuit, "incident.closed", `${outcome} ${text}`, closed);
  await finishJudged(closed, pursuit.parts);
}

/**
 * The act did not prove to help. What came of it is written down, remembered and drafted now; the incident stays open for
 * its symptoms. Where nothing could be measured, and nothing is seen to be degraded, there is nothing to stay open for (S9).
 */
async function endInVain(
  incident: Incident,
  outcome: "not-recovered" | "unknown",
  detail: string,
  pursuit: Pursuit,
): Promise<void> {
  const { parts, caseFile } = pursuit;
  const { signals, degraded } = standingOf(
    incident,
    symptomsOf(incident, pursuit),
    caseFile,
    parts.config.watch.stepMs,
  );
  if (outcome === "unknown" && degraded.length === 0) return finish(incident, outcome, detail, pursuit);
  const at = judgedAt(incident, pursuit);
  const text = `${afterOnset(incident, at)}${detail}`;
  const judged: Incident = { ...note(incident, at, `verified: ${outcome}`, text), outcome, signals: [...signals] };
  await pursuit.save(judged);
  emit(pursuit, "incident.verified", `${outcome} ${text}`, judged);
  await finishJudged(judged, parts);
}

/** Nothing more is done for it: it ends once its own signals are back, or are told of elsewhere. */
async function followSymptoms(before: Incident, pursuit: Pursuit): Promise<void> {
  const { parts, caseFile, save } = pursuit;
  const services = symptomsOf(before, pursuit);
  if (services.length === 0)
    return finishQuiet(before, before.outcome ?? "unknown", "What is degraded still is judged by itself.", pursuit);
  const standing = standingOf(before, services, caseFile, parts.config.watch.stepMs);
  if (standing.degraded.length === 0) return awaitEnd(before, standing, pursuit);
  await save({ ...unmark(before), signals: [...standing.signals] });
}

/** The services of an incident that no other one was opened for since: what happens to those is the other one's to tell. */
function symptomsOf(incident: Incident, { open }: Pursuit): readonly string[] {
  const later = open().filter(
    (one) => one.id !== incident.id && one.detectedAt > incident.detectedAt && !isResidual(one),
  );
  const elsewhere = new Set(later.flatMap(({ trouble }) => trouble ?? []));
  return ownServices(incident, open()).filter((name) => !elsewhere.has(name));
}

const judgedAt = ({ recovery }: Incident, { caseFile }: Pursuit): number => recovery?.at ?? caseFile.at;

/** From the onset that the record tells, as the postmortem does: an incident may be dated anew meanwhile. */
function afterOnset(incident: Incident, at: number): string {
  const { onset } = asRecorded(incident);
  return onset === null ? "" : `${durationText(Math.max(0, at - onset.at))} after onset: `;
}
