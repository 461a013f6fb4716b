import { whyNotFromHere } from "../../core/decision/hotfix-text.ts";
import { isActTold, isToldOtherwise, saidOfAct } from "../../core/guardrails/act-notice.ts";
import type { Assessment } from "../../core/model/assessment.ts";
import type { Decision } from "../../core/model/decision.ts";
import type { Incident, Told } from "../../core/model/incident.ts";
import { cleanText } from "../../core/model/untrusted-text.ts";
import { APART_LOOKS } from "./allotting.ts";
import { noticesOf } from "./end-notice.ts";
import { headlineOf, isWithheld, noKnownChange } from "./nothing-undone.ts";
import { type Evaluation, escalate, page, raised } from "./pursuit.ts";
import { percent } from "./wording.ts";

/** A decision as people hear it: what it comes to, and the headline that says so. */
export interface Word {
  /** Equal for decisions between which people need not be told: the action and its culprit, or why nothing is undone. */
  readonly said: string;
  readonly headline: string;
  readonly told?: Told;
}

/** A headline is read on a phone. */
const MOST_CHARACTERS = 300;

/** What people would hear of a decision as it stands. Pure. */
export function wordOf(incident: Incident, assessment: Assessment): Word {
  const { decision } = assessment;
  if (decision.action !== "no_action") return wordOfAct(decision, assessment);
  const why = isWithheld(assessment)
    ? `withheld ${decision.culprit?.changeId}`
    : noKnownChange(incident, assessment)
      ? "no change"
      : "not sure";
  return { said: `${decision.action} ${why}`, ...headlineOf(incident, assessment) };
}

/** The same of a decision to act, or to have people act; the assessment says what stands in the way of an act, if any is known. */
export function wordOfAct(decision: Decision, assessment?: Pick<Assessment, "targets" | "obstacles">): Word {
  const { action, culprit, service } = decision;
  const what = culprit?.changeId ?? service;
  const said = saidOfAct(decision);
  if (action === "hotfix_recommendation") {
    const why = whyNotFromHere(decision);
    const because = why === null ? "" : `: ${cleanText(why, MOST_CHARACTERS)}`;
    return { said, headline: `A person must fix this: ${what} cannot be rolled back safely${because}.` };
  }
  if (assessment?.targets.length === 0) {
    const why = whyNotFromHere(decision, assessment.obstacles) ?? "no target is known";
    return { said, headline: `The change cannot be undone from here: ${why}.` };
  }
  const verb = action === "feature_flag_disable" ? "switch off" : "roll back";
  return { said, headline: `Decided anew: ${verb} ${what}${sureness(decision)}.` };
}

const sureness = ({ culprit }: Decision): string => (culprit === null ? "" : ` (${percent(culprit.probability)})`);

/**
 * The incident, once people have heard what it comes to, unless they were last told something else: that they hear of by
 * `correctWord`, so that what comes and goes wakes nobody.
 */
export async function tellWord(incident: Incident, word: Word, pursuit: Evaluation): Promise<Incident> {
  if (isToldOtherwise(incident, word.said)) return incident;
  return withWord(await escalate(incident, pursuit, word.headline, word.told), word);
}

/**
 * People hear that a decision is no longer what they were told last, once it has been so for `APART_LOOKS` evaluations, and
 * twice as long for each time that they were told otherwise before: the last word that they have is what is held, and
 * a decision that goes to and fro reaches them ever more seldom. Safe to repeat at each evaluation.
 */
export async function correctWord(incident: Incident, word: Word, pursuit: Evaluation): Promise<Incident> {
  const { word: last } = incident;
  const { caseFile, parts } = pursuit;
  if (last === undefined) return incident;
  if (last.said === word.said) return withoutOther(incident);
  const other = last.other?.said === word.said ? last.other : { said: word.said, since: caseFile.at };
  const settledMs = (APART_LOOKS - 1) * parts.config.watch.stepMs * 2 ** (last.times - 1);
  if (caseFile.at - other.since < settledMs) return { ...incident, word: { ...last, other } };
  return withWord(await page(incident, pursuit, word.headline, word.told), word);
}

/**
 * The act that people were told would not come, or not as they were told, is done: they hear of it at once, from the gate where it
 * notifies them of each act.
 */
export async function tellDone(incident: Incident, pursuit: Evaluation): Promise<Incident> {
  const { decision } = incident;
  if (decision === null || decision.action === "no_action") return incident;
  const said = saidOfAct(decision);
  if (!isToldOtherwise(incident, said)) return withoutOther(incident);
  const verb = decision.action === "feature_flag_disable" ? "Switched off" : "Rolled back";
  const headline = `${verb} after all: ${decision.changeIds.join(", then ")}${sureness(decision)}.`;
  const planId = incident.gate?.planId;
  const { ledger } = pursuit.parts;
  const isTold = planId !== undefined && isActTold(await noticesOf(planId, ledger), planId);
  return withWord(isTold ? raised(incident, pursuit, headline) : await page(incident, pursuit, headline), { said });
}

/** The incident of which people were told this, just now. */
export function withWord(incident: Incident, { said }: Pick<Word, "said">): Incident {
  const { word } = incident;
  if (word?.said === said) return withoutOther(incident);
  return { ...incident, word: { said, times: (word?.times ?? 0) + 1 } };
}

function withoutOther(incident: Incident): Incident {
  const { word } = incident;
  return word?.other === undefined ? incident : { ...incident, word: { said: word.said, times: word.times } };
}
