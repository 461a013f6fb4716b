import { noJoinedChange } from "../../core/correlation/elsewhere.ts";
import { takenBackBy } from "../../core/correlation/replaced.ts";
import type { Assessment } from "../../core/model/assessment.ts";
import { isCompared } from "../../core/model/candidate.ts";
import type { Incident, Told } from "../../core/model/incident.ts";
import { ESCALATED } from "./pursuit.ts";

/** The timeline's line for trouble that began after the incident was detected. */
export const DETECTED_ANEW = "detected anew";

type Untouched = Exclude<Told, "made-worse">;
const VERDICTS: Readonly<Record<Exclude<Untouched, "withheld">, string>> = {
  "no-change": "No change is the culprit; nothing will be undone.",
  "not-known": "Whether a change did it is not known, and nothing is undone: needs a person to investigate.",
  "not-sure": "A policy's condition holds, and no change is sure enough to be undone: needs a person to investigate.",
};
/** So many conditions are named in one headline. */
const MOST_NAMED = 5;

/** No change is to blame, with as much probability as a culprit would need, and every source of changes answered. */
export const isNobodysFault = (incident: Incident, assessment: Assessment): boolean =>
  assessment.unheard.length === 0 && noKnownChange(incident, assessment);

/**
 * No change that is known is to blame, with as much probability as a culprit would need. What was taken back since the incident
 * was detected is no suspect of what is left, and may have been the culprit all the same: then nobody can say so. What nothing joins
 * to the incident changes no word of it, undone or not (S16). Where no onset is known just now, since the newest samples leave open
 * whether anything is worse, no change was compared with anything: then nothing is said of any (S9).
 */
export function noKnownChange(incident: Incident, assessment: Assessment): boolean {
  const timing = assessment.answers.correlate_timing;
  if (timing === undefined || !isCompared(timing.ranking)) return false;
  if (noJoinedChange(timing.ranking) < timing.threshold) return false;
  const { at, elsewhere = [] } = assessment;
  const changes = assessment.changes.filter(({ id }) => !elsewhere.includes(id));
  const since = incident.extent?.detectedAt ?? incident.detectedAt;
  return !changes.some((change) => (takenBackBy(change, changes, at)?.startedAt ?? Number.NEGATIVE_INFINITY) >= since);
}

export const isFiring = ({ conditions }: Assessment): boolean => conditions.some(({ state }) => state === "firing");

/** A change is as probable as acting asks for, and is left alone all the same for a reason that people have to weigh. */
export function isWithheld({ decision, answers }: Assessment): boolean {
  const { action, culprit, needsPerson } = decision;
  return (
    action === "no_action" && culprit !== null && needsPerson.length > 0 && answers.correlate_timing?.reached === true
  );
}

/** What people hear where nothing is undone; `told`: which verdict it gives. */
export function headlineOf(
  incident: Incident,
  assessment: Assessment,
): { readonly headline: string; readonly told: Untouched } {
  const newer = untold(incident, assessment);
  const more = newer.length > MOST_NAMED ? ` and ${newer.length - MOST_NAMED} more` : "";
  const since = newer.length === 0 ? "" : ` New since then: ${newer.slice(0, MOST_NAMED).join(", ")}${more}.`;
  if (isWithheld(assessment)) {
    const why = assessment.decision.needsPerson.join("; ").replace(/\.$/, "");
    return { headline: `Nothing is undone by itself: ${why}.${since}`, told: "withheld" };
  }
  const { noOlder } = assessment.decision;
  const restorable = noOlder === undefined ? "" : ` ${noOlder}.`;
  const told = verdictOn(incident, assessment);
  const silent = told === "not-known" ? ` ${assessment.unheard.join("; ").replace(/\.$/, "")}.` : "";
  return { headline: `${VERDICTS[told]}${silent}${restorable}${since}`, told };
}

function verdictOn(incident: Incident, assessment: Assessment): keyof typeof VERDICTS {
  if (!noKnownChange(incident, assessment)) return "not-sure";
  return assessment.unheard.length === 0 ? "no-change" : "not-known";
}

/**
 * Conditions in force that are no part of what people were told: those of a trouble that began after the incident was
 * detected, and after they were told that nothing is undone. What spreads from the trouble that they know is not among
 * them, nor is what comes and goes.
 */
export function untold(incident: Incident, assessment: Assessment): readonly string[] {
  const told = toldAt(incident);
  const anew = incident.timeline.findLastIndex(({ event }) => event === DETECTED_ANEW);
  return told < 0 || anew <= told ? [] : namesOf(assessment).filter((name) => incident.told?.includes(name) !== true);
}

/** The incident with the conditions that people know of, once they were told that nothing is undone. */
export function withTold(incident: Incident, assessment: Assessment): Incident {
  const newer = namesOf(assessment).filter((name) => incident.told?.includes(name) !== true);
  if (toldAt(incident) < 0 || newer.length === 0 || untold(incident, assessment).length > 0) return incident;
  return { ...incident, told: [...(incident.told ?? []), ...newer] };
}

/**
 * Whether people were last told that nobody knows whether a change did it, and all sources of changes have answered since: what
 * they say is told as well. A source that goes and comes is told of once each way at most.
 */
export function isHeardAgain({ timeline }: Incident, assessment: Assessment): boolean {
  if (assessment.decision.action !== "no_action" || assessment.unheard.length > 0) return false;
  // Where people are not told of it, nothing would say that it was.
  if (!isFiring(assessment) && !isWithheld(assessment)) return false;
  const told = timeline.filter(({ event }) => event === ESCALATED).map((line) => line.told === "not-known");
  const answers = told.filter((isUnknown, index) => !isUnknown && told[index - 1] === true).length;
  return told.at(-1) === true && answers === 0;
}

const toldAt = ({ timeline }: Incident): number =>
  timeline.findLastIndex(({ told }) => told !== undefined && told !== "made-worse");

function namesOf({ conditions }: Assessment): readonly string[] {
  const names = conditions.flatMap(({ state, metric, service }) =>
    state === "firing" ? [`${metric} of ${service}`] : [],
  );
  return [...new Set(names)].sort();
}
