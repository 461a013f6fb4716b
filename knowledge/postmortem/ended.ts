import { isActed } from "../../core/model/deed.ts";
import { type Incident, isRecoveryConfirmed } from "../../core/model/incident.ts";
import { wayBackText } from "../../core/model/recorded.ts";
import type { LedgerEntry } from "../../core/ports.ts";
import { endingOf } from "./ending.ts";
import { clock, span } from "./figures.ts";
import { code, prose } from "./markdown.ts";
import { soFar } from "./open.ts";
import { planAnswer } from "./plan-answer.ts";

/** How it ended, for the summary: the verdict, since when its signals were back and how, and of what that says nothing. */
export function endedWords(incident: Incident, entries: readonly LedgerEntry[]): readonly string[] {
  const back = backWords(incident);
  const verdict = verdictWords(incident);
  if (verdict !== null) return [verdict, back, notJudged(incident)];
  return [back, answerWords(incident, entries), notJudged(incident)];
}

function backWords(incident: Incident): string {
  const { backSince, backBy, changes } = incident;
  if (backSince === undefined || isRecoveryConfirmed(incident)) return "";
  const { undoneBy } = endingOf(incident);
  // The sentence before tells whose rollback it was.
  const isTold = backBy === undefined || (undoneBy !== null && undoneBy.id === backBy.change?.id);
  const how = isTold ? "" : `: they came back ${prose(wayBackText(backBy, changes))}`;
  return `At ${clock(backSince)} none of its signals was degraded any more${how}.`;
}

/** What the verification of an act says; null: nothing was done that could be verified. */
function verdictWords(incident: Incident): string | null {
  const { recovery, onset, outcome, backSince } = incident;
  if (recovery !== null && recovery.at !== null && isRecoveryConfirmed({ recovery, outcome })) {
    const after = onset === null ? null : span(onset.at, recovery.at);
    return `At ${clock(recovery.at)} its signals were confirmed to be back inside their own baseline${after === null ? "" : `, ${after} after onset`}.`;
  }
  if (outcome === "superseded")
    return "**Whether it recovered can no longer be determined:** another change was at work at the target before that was clear.";
  if (recovery?.verdict === "not-recovered")
    return backSince === undefined
      ? `**It ${soFar(incident, "did not recover", "has not recovered so far")}:** the cause may lie elsewhere.`
      : "**It did not recover in time:** the cause may lie elsewhere.";
  if (isActed(incident))
    return backSince === undefined
      ? `**Whether it ${soFar(incident, "recovered is not known", "recovers is not known yet")}.**`
      : "**Whether the act brought recovery is not known.**";
  return null;
}

/** What became of a plan that nobody carried out. */
function answerWords(incident: Incident, entries: readonly LedgerEntry[]): string {
  const { outcome, closedAt, backSince, gate } = incident;
  if (outcome === "denied" && gate?.outcome === "denied") return "The gate denied the plan.";
  const answer = planAnswer(incident, entries);
  if (answer === null) {
    if (outcome === "withdrawn") return "The degradation was over before anything was due; the decision was withdrawn.";
    if (outcome === "denied") return "The plan was denied.";
    return outcome === "expired" ? "Nobody answered the plan before it expired." : "";
  }
  const plan = `plan ${code(answer.planId)}`;
  if (answer.kind === "rejected") return `${answer.by === null ? "A person" : code(answer.by, 60)} rejected ${plan}.`;
  if (closedAt === null) return "";
  if (answer.kind === "approved")
    return `${answer.by === null ? "A person" : code(answer.by, 60)} approved ${plan}, which was not carried out.`;
  if (answer.kind === "expired") return `Nobody answered ${plan} before it expired.`;
  return backSince === undefined ? `Nobody answered ${plan}.` : `Nobody had answered ${plan} by then.`;
}

/** Of what the verdict says nothing, where it says something of the rest. */
function notJudged({ superseded = [], outcome }: Incident): string {
  if (superseded.length === 0 || outcome === "superseded") return "";
  const names = superseded.map(({ service }) => code(service)).join(", ");
  return `That says nothing of ${names}: another change was at work there before it was clear.`;
}
