import type { OtherAct } from "../../core/guardrails/ledger-answer.ts";
import { targetText } from "../../core/guardrails/targets.ts";
import { knownLevel } from "../../core/impact/worst-first.ts";
import { isCompared, notComparedText } from "../../core/model/candidate.ts";
import type { Change } from "../../core/model/change.ts";
import { deedOf, deedTime, isActed, isDoubtful, originOf, writtenTargets } from "../../core/model/deed.ts";
import type { Finding } from "../../core/model/finding.ts";
import { type Incident, isRecoveryConfirmed } from "../../core/model/incident.ts";
import { likelihood } from "../../core/model/likelihood.ts";
import type { GateAnswer, Target } from "../../core/model/plan.ts";
import { wayBackText } from "../../core/model/recorded.ts";
import { clock, dateTime, percent, quantity, span } from "./figures.ts";
import { code, prose, sentence } from "./markdown.ts";
import { blamed } from "./marks.ts";
import { isOpen, soFar } from "./open.ts";

/** The heading: what broke, and how it stands. */
export function title(incident: Incident): string {
  const first = blamed(incident)[0];
  const because = first === undefined ? "" : ` after ${ownChange(first, incident.service)}`;
  return `# ${code(incident.service)} broke${because}: ${standing(incident)}`;
}

function ownChange(change: Change, service: string): string {
  if (change.kind === "flag" || change.service !== service) return changeWords(change);
  return `its ${change.kind} ${code(change.from)} → ${code(change.to)}`;
}

/**
 * Three or four sentences that a person who was not there can act on. Of an incident that went on in another one, that one tells
 * the cause, what was done and how it ended. `anew`: the onset that it is judged by, where that is not its first one. `others`:
 * plans beside its own that were begun for it.
 */
export function summary(incident: Incident, anew: Incident["onset"] = null, others: readonly OtherAct[] = []): string {
  const rest =
    incident.joined === undefined
      ? [cause(incident), done(incident, others), ended(incident), notJudged(incident)]
      : [isActed(incident) || others.length > 0 ? done(incident, others) : "", wentOn(incident.joined, incident)];
  const dated = anew === null ? "" : `What it is judged by began at about ${clock(anew.at)}: it was dated anew.`;
  return [began(incident), dated, hurt(incident), ...rest].filter((part) => part !== "").join(" ");
}

function wentOn(joined: string, { closedAt }: Incident): string {
  const when = closedAt === null ? "It" : `At ${clock(closedAt)} it`;
  return `**${when} went on in ${code(joined)}:** the draft of that incident tells the cause, what was done and how it ended. What follows is what was known of this one until then.`;
}

/** `the deploy of `checkout` v1.4.1 → v1.4.2`. */
export function changeWords({ kind, service, from, to, flag }: Change): string {
  const what = kind === "flag" ? `the switch of flag ${code(flag ?? service)}` : `the ${kind} of ${code(service)}`;
  return `${what} ${code(from)} → ${code(to)}`;
}

function began(incident: Incident): string {
  const { onset, detectedAt, findings, service, affectedServices } = incident;
  const worst = findings.filter((one) => one.verdict === "worse").toSorted((a, b) => b.strength - a.strength);
  const lead = worst.find((one) => one.service === service) ?? worst[0];
  const others = affectedServices.filter((one) => one !== (lead?.service ?? service));
  const when =
    onset === null ? `At ${dateTime(detectedAt)} UTC unship noticed that` : `From about ${dateTime(onset.at)} UTC`;
  const degraded = `${code(service)} ${soFar(incident, "was", "has been")} degraded`;
  const what = lead === undefined ? degraded : symptom(lead, isOpen(incident));
  const spread =
    others.length === 0
      ? ""
      : `; ${others
          .slice(0, 8)
          .map((one) => code(one))
          .join(
            ", ",
          )} ${soFar(incident, others.length === 1 ? "was" : "were", others.length === 1 ? "has been" : "have been")} affected too`;
  const delay = onset === null ? null : span(onset.at, detectedAt);
  const noticed = delay === null ? "" : ` unship noticed ${delay} later, at ${clock(detectedAt)}.`;
  return `${when} ${what}${spread}.${noticed}`;
}

/** What a signal did. A count of failing pods says less than the detector's own sentence. */
function symptom({ metric, service, baseline, current, unit, because }: Finding, open: boolean): string {
  const [from, to] = [quantity(baseline, unit), quantity(current, unit)];
  if (unit === "count" || from === to)
    return `${code(service)} ${open ? "has failed" : "failed"} (${prose(because, 200)})`;
  // A threshold knows what is too much, not what was usual.
  return baseline === null
    ? `${code(metric)} of ${code(service)} ${open ? "has been" : "was"} at ${to}`
    : `${code(metric)} of ${code(service)} ${open ? "has gone" : "went"} from ${from} to ${to}`;
}

function hurt(incident: Incident): string {
  const { impact } = incident;
  if (impact === null) return "";
  const { failedShare, slowShare = null, sentences } = impact;
  const failed =
    failedShare === null || failedShare === 0
      ? []
      : [`${percent(failedShare)} of requests ${soFar(incident, "failed", "have failed")} at the worst edge`];
  // Where late answers harm more than failed ones, the first sentence of the impact tells of them.
  const slow =
    slowShare !== null && slowShare > (failedShare ?? 0) ? sentences.slice(0, 1).map((one) => prose(one)) : [];
  const told = [...slow, ...failed].join("; ");
  return `The business impact ${soFar(incident, "was", "so far is")} ${knownLevel(incident)}${told === "" ? "" : `: ${told}`}.`;
}

function cause(incident: Incident): string {
  const { ranking, decision } = incident;
  const culprit = decision?.culprit ?? null;
  if (culprit !== null && ranking !== null) {
    const first = blamed(incident).find((change) => change.id === culprit.changeId);
    const name = first === undefined ? code(culprit.changeId) : `${changeWords(first)} (${code(culprit.changeId)})`;
    return `The most probable cause is ${name}, at ${likelihood(culprit.probability)}.`;
  }
  if (ranking === null || !isCompared(ranking)) {
    const open = soFar(incident, "What caused it was not determined", "What causes it has not been determined so far");
    const why = notComparedText(ranking);
    return why === null ? `${open}.` : `${open}: ${sentence(why)}`;
  }
  const known = incident.unheard?.length === 0 ? "changes" : "known changes";
  return `No change is suspected: the probability that none of the ${known} caused it is ${likelihood(ranking.noChangeProbability)}.`;
}

/** What was done by the incident's own plan, and that others were begun beside it: then nothing is denied of them. */
function done(incident: Incident, others: readonly OtherAct[]): string {
  if (others.length === 0) return ownDeed(incident);
  const plans = others.map(({ planId }) => code(planId)).join(", ");
  const beside = `${others.length === 1 ? "Another plan was" : "Other plans were"} begun for it, ${plans}; ${others.length === 1 ? "its outcome is" : "their outcomes are"} below.`;
  return isActed(incident) ? `${ownDeed(incident)} ${beside}` : beside;
}

function ownDeed(incident: Incident): string {
  const { decision, gate, backBy } = incident;
  const decided = decision === null ? "nothing" : code(decision.action);
  switch (deedOf(incident)) {
    case "undecided":
      return soFar(incident, "No decision was made.", "No decision has been made so far.");
    case "nothing":
      if (isOpen(incident)) return "unship has taken no action so far.";
      return backBy?.act === undefined ? "unship took no action." : "unship took no action in this incident.";
    case "recommended":
      return `unship ${soFar(incident, "recommended a hotfix and changed", "has recommended a hotfix and has changed")} nothing itself.`;
    case "decided":
      return `unship decided on ${decided}; nothing ${soFar(incident, "was executed", "has been executed so far")}.`;
    case "executed":
      return `${executed(incident)}${askedWords(incident, decided)}.`;
    case "partly":
      return `${proposedWords(incident, decided)} ${stoppedWords(partlyWords(gate), gate)}`;
    case "unwritten":
      return `unship decided on ${decided}. ${stoppedWords(soFar(incident, "Nothing was executed", "Nothing has been executed so far"), gate)}`;
  }
}

/** Whose an act was, after what it was: "" where unship decides on it. */
function askedWords(incident: Incident, decided: string): string {
  switch (originOf(incident)) {
    case "asked":
      return `, as a person had asked; its own decision was ${decided}`;
    case "proposed":
      return `, as it had proposed on an earlier decision; its newest decision was ${decided}`;
    default:
      return "";
  }
}

/** The same of a plan that was not carried out as a whole, before what became of it. */
function proposedWords(incident: Incident, decided: string): string {
  switch (originOf(incident)) {
    case "asked":
      return `A person asked for the plan; unship's own decision was ${decided}.`;
    case "proposed":
      return `unship proposed the plan on an earlier decision; its newest decision was ${decided}.`;
    default:
      return `unship decided on ${decided}.`;
  }
}

function executed({ gate, plan }: Incident): string {
  const time = deedTime({ gate });
  const what = (plan?.targets ?? []).map(targetWords).join(" and ") || "rolled the change back";
  if (time === null) return `unship ${what}`;
  const { at, latest } = time;
  return isDoubtful(time)
    ? `Between ${clock(at)} and ${clock(latest)} unship ${what}`
    : `At ${clock(at)} unship ${what}`;
}

function partlyWords(gate: Incident["gate"]): string {
  if (gate?.results.some(({ result }) => result === "done") !== true)
    return "Whether its targets were written is not known";
  return gate.outcome === "in-progress"
    ? "Some targets were rolled back, and the outcome of the rest is not known yet"
    : "Some targets were rolled back; the rest stopped";
}

/** What was written of a plan that was not carried out as a whole, and why the rest was not. */
function stoppedWords(what: string, gate: Incident["gate"]): string {
  const why = gate === null ? [] : whyNot(gate).map((reason) => prose(reason));
  const because = why.length === 0 ? "" : `: ${why.join("; ")}`;
  return `${what} (${gate?.outcome})${because}`.replace(/([^.])$/, "$1.");
}

/**
 * Why a plan was not carried out: where the gate let nothing begin, its strictest rules; where it was begun, what came of the targets.
 * What had held it until a person agreed did not stop it.
 */
function whyNot({ outcome, review, results }: GateAnswer): readonly string[] {
  if (outcome === "held" || outcome === "denied")
    return review.rules.filter(({ verdict }) => verdict === review.verdict).map(({ reason }) => reason);
  return results
    .filter(({ result }) => result !== "done")
    .map(({ target, result, detail }) => `${targetText(target)} ${result}: ${detail}`);
}

function targetWords({ action, object, service, restore }: Target): string {
  if (action === "feature_flag_disable") return `switched flag ${code(object.name)} off`;
  if (action === "argocd_resume_auto_sync") return `switched the auto-sync of ${code(object.name)} on again`;
  if (action === "rollout_abort") return `aborted the rollout of ${code(service)}, back to ${code(restore.version)}`;
  if (action === "rollout_pause") return `paused the rollout of ${code(service)}`;
  if (action === "rollout_promote") return `promoted ${code(restore.version)} of ${code(service)}`;
  return `put ${code(service)} back to ${code(restore.version)}`;
}

function ended(incident: Incident): string {
  const verdict = verdictWords(incident);
  const { backSince, backBy } = incident;
  if (backSince === undefined || isRecoveryConfirmed(incident)) return verdict;
  const how = backBy === undefined ? "" : `: they came back ${prose(wayBackText(backBy))}`;
  return `${verdict}${verdict === "" ? "" : " "}At ${clock(backSince)} none of its signals was degraded any more${how}.`;
}

function verdictWords(incident: Incident): string {
  const { recovery, onset, outcome } = incident;
  if (recovery !== null && recovery.at !== null && isRecoveryConfirmed({ recovery, outcome })) {
    const after = onset === null ? null : span(onset.at, recovery.at);
    return `At ${clock(recovery.at)} its signals were confirmed to be back inside their own baseline${after === null ? "" : `, ${after} after onset`}.`;
  }
  if (outcome === "superseded")
    return "**Whether it recovered can no longer be determined:** another change was at work at the target before that was clear.";
  if (recovery?.verdict === "not-recovered")
    return `**It ${soFar(incident, "did not recover", "has not recovered so far")}:** the cause may lie elsewhere.`;
  if (isActed(incident))
    return `**Whether it ${soFar(incident, "recovered is not known", "recovers is not known yet")}.**`;
  if (outcome === "withdrawn") return "The degradation was over before anything was due; the decision was withdrawn.";
  if (outcome === "denied") return "The plan was denied.";
  if (outcome === "expired") return "Nobody answered the plan in time.";
  return "";
}

/** Of what the verdict says nothing, where it says something of the rest. */
function notJudged({ superseded = [], outcome }: Incident): string {
  if (superseded.length === 0 || outcome === "superseded") return "";
  const names = superseded.map(({ service }) => code(service)).join(", ");
  return `That says nothing of ${names}: another change was at work there before it was clear.`;
}

/** "it was taken back", where that is what the title names as the cause; else what was done, whoever asked for it. */
function whatWasDone(incident: Incident): string {
  const origin = originOf(incident);
  if (origin !== "asked" && origin !== "proposed") return "it was rolled back";
  return `unship ${writtenTargets(incident).map(targetWords).join(" and ")}`;
}

/** How it stands, for the title. "recovered" only where verification said so. */
export function standing(incident: Incident): string {
  const { recovery, outcome, backBy, joined } = incident;
  if (joined !== undefined) return `went on in ${code(joined)}`;
  if (isRecoveryConfirmed({ recovery, outcome })) return `recovered after ${whatWasDone(incident)}`;
  if (outcome === "superseded") return "another change was at work before recovery was shown";
  if (recovery?.verdict === "not-recovered")
    return soFar(incident, "not recovered", "still open, not recovered so far");
  if (isActed(incident)) return soFar(incident, "recovery not confirmed", "still open, recovery not confirmed yet");
  if (isOpen(incident)) return "still open";
  switch (outcome) {
    case "withdrawn":
      if (backBy === undefined) return "nothing had to be undone";
      if (backBy.act !== undefined) return "over after a plan outside it was carried out";
      return backBy.change === null ? "passed with no known change" : "over after somebody changed something";
    case "recommended":
      return "hotfix recommended";
    case "denied":
    case "expired":
      return `no action (plan ${outcome})`;
    case "no-action":
      return backBy?.act === undefined ? "no action taken" : "over after a plan outside it was carried out";
    default:
      return outcome === null ? "still open" : "outcome unknown";
  }
}
