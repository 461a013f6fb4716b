import type { OtherAct } from "../../core/guardrails/ledger-answer.ts";
import { targetText } from "../../core/guardrails/targets.ts";
import { failingAt, inThePast } from "../../core/impact/impact-text.ts";
import { knownLevel } from "../../core/impact/worst-first.ts";
import { deedOf, deedTime, isActed, isDoubtful, originOf } from "../../core/model/deed.ts";
import type { Finding } from "../../core/model/finding.ts";
import type { Incident } from "../../core/model/incident.ts";
import type { GateAnswer } from "../../core/model/plan.ts";
import type { LedgerEntry } from "../../core/ports.ts";
import { causeSentence } from "./cause.ts";
import { endedWords } from "./ended.ts";
import { endingOf, undoneSentence } from "./ending.ts";
import { clock, dateTime, percent, quantity } from "./figures.ts";
import { code, prose } from "./markdown.ts";
import { actionWords, targetWords } from "./names.ts";
import { noticedWords } from "./noticed.ts";
import { isOpen, soFar } from "./open.ts";
import { leadService } from "./title.ts";

/**
 * Three or four sentences that a person who was not there can act on. Of an incident that went on in another one, that one tells
 * the cause, what was done and how it ended. `anew`: the onset that it is judged by, where that is not its first one. `others`:
 * plans beside its own that were begun for it. `entries`: of the ledger, which knows who answered.
 */
export function summary(
  incident: Incident,
  anew: Incident["onset"] = null,
  others: readonly OtherAct[] = [],
  entries: readonly LedgerEntry[] = [],
): string {
  const { undoneBy } = endingOf(incident);
  const undone = undoneBy === null ? "" : undoneSentence(undoneBy);
  const rest =
    incident.joined === undefined
      ? [causeSentence(incident), done(incident, others), undone, ...endedWords(incident, entries)]
      : [isActed(incident) || others.length > 0 ? done(incident, others) : "", wentOn(incident.joined, incident)];
  const dated = anew === null ? "" : `What it is judged by began at about ${clock(anew.at)}: it was dated anew.`;
  return [began(incident), dated, hurt(incident), ...rest].filter((part) => part !== "").join(" ");
}

function wentOn(joined: string, { closedAt }: Incident): string {
  const when = closedAt === null ? "It" : `At ${clock(closedAt)} it`;
  return `**${when} went on in ${code(joined)}:** the draft of that incident tells the cause, what was done and how it ended. What follows is what was known of this one until then.`;
}

function began(incident: Incident): string {
  const { onset, detectedAt, findings, affectedServices } = incident;
  const service = leadService(incident);
  const worst = findings.filter((one) => one.verdict === "worse").toSorted((a, b) => b.strength - a.strength);
  const lead = worst.find((one) => one.service === service) ?? worst[0];
  const others = affectedServices.filter((one) => one !== (lead?.service ?? service));
  const when =
    onset === null ? `At ${dateTime(detectedAt)} UTC unship noticed that` : `From about ${dateTime(onset.at)} UTC`;
  const degraded = `${code(service)} ${soFar(incident, "was", "has been")} degraded`;
  const what = lead === undefined ? degraded : `${symptom(lead, isOpen(incident))}${forecast(lead, incident)}`;
  const spread =
    others.length === 0
      ? ""
      : `; ${others
          .slice(0, 8)
          .map((one) => code(one))
          .join(
            ", ",
          )} ${soFar(incident, others.length === 1 ? "was" : "were", others.length === 1 ? "has been" : "have been")} affected too`;
  return `${when} ${what}${spread}.${noticedWords(incident)}`;
}

/** When a signal that drifts reaches its limit, if it goes on so; what is over would have reached it. */
function forecast({ limitAt }: Finding, incident: Incident): string {
  if (limitAt === undefined) return "";
  const reaches = soFar(incident, "at that pace it would have reached", "at this pace it reaches");
  return `, and ${reaches} its limit at ${clock(limitAt)}`;
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
  const where = failingAt(impact);
  const failed =
    failedShare === null || failedShare === 0
      ? []
      : [
          `${percent(failedShare)} of requests ${soFar(incident, "failed", "have failed")} ${where === null ? "at its worst" : `at ${code(where)}`}`,
        ];
  // Where late answers harm more than failed ones, the first sentence of the impact tells of them.
  const slow =
    slowShare !== null && slowShare > (failedShare ?? 0)
      ? sentences.slice(0, 1).map((one) => prose(soFar(incident, inThePast(one), one)))
      : [];
  const told = [...slow, ...failed].join("; ");
  return `The business impact ${soFar(incident, "was", "so far is")} ${knownLevel(incident)}${told === "" ? "" : `: ${told}`}.`;
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
  const decided = decision === null ? "nothing" : actionWords(decision.action);
  switch (deedOf(incident)) {
    case "undecided":
      return soFar(incident, "No decision was made.", "No decision has been made so far.");
    case "nothing":
      if (isOpen(incident)) return "unship has written nothing to production so far.";
      return `unship wrote nothing to production${backBy?.act === undefined ? "" : " in this incident"}.`;
    case "recommended":
      return `unship ${soFar(incident, "recommended a hotfix and changed", "has recommended a hotfix and has changed")} nothing itself.`;
    case "decided":
      return `unship decided: ${decided}; nothing ${soFar(incident, "was executed", "has been executed so far")}.`;
    case "executed":
      return `${executed(incident)}${askedWords(incident, decided)}.`;
    case "partly":
      return `${proposedWords(incident, decided)} ${stoppedWords(partlyWords(gate), gate)}`;
    case "unwritten":
      return `unship decided: ${decided}. ${stoppedWords(soFar(incident, "Nothing was executed", "Nothing has been executed so far"), gate)}`;
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
      return `unship decided: ${decided}.`;
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

/** Reasons of which none only begins another one, nor says it again. */
const distinct = (reasons: readonly string[]): readonly string[] =>
  [...new Set(reasons)].filter((one, _, all) => !all.some((other) => other !== one && other.startsWith(one)));

/**
 * Why a plan was not carried out: where the gate let nothing begin, its strictest rules; where it was begun, what came of the targets.
 * What had held it until a person agreed did not stop it.
 */
function whyNot({ outcome, review, results }: GateAnswer): readonly string[] {
  if (outcome === "held" || outcome === "denied")
    return distinct(review.rules.filter(({ verdict }) => verdict === review.verdict).map(({ reason }) => reason));
  return results
    .filter(({ result }) => result !== "done")
    .map(({ target, result, detail }) => `${targetText(target)} ${result}: ${detail}`);
}
