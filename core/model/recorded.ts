import { isCompared } from "./candidate.ts";
import type { Change } from "./change.ts";
import { nameOfChange } from "./change-name.ts";
import { DecisionAction } from "./decision.ts";
import type { Incident, WayBack } from "./incident.ts";

/**
 * The incident as its record tells it: its first onset and detection, all services and signals that were ever degraded in it, each
 * with its worst value, and its worst impact. What a postmortem, an episode and a similar incident later on speak of. Pure.
 */
export function asRecorded(incident: Incident): Incident {
  const { extent } = incident;
  if (extent === undefined) return incident;
  const known = new Set(extent.findings.map(({ service, metric }) => JSON.stringify([service, metric])));
  const others = incident.findings.filter(
    ({ service, metric, verdict, labels }) =>
      verdict !== "worse" || Object.keys(labels).length > 0 || !known.has(JSON.stringify([service, metric])),
  );
  const impact = extent.impact ?? incident.impact;
  return {
    ...incident,
    detectedAt: extent.detectedAt,
    onset: firstOnset(incident),
    affectedServices: [...extent.services],
    findings: [...extent.findings, ...others],
    impact: impact === null ? null : { ...impact, affectedServices: [...extent.services] },
  };
}

/**
 * When it began first. The onset that was decided upon is believed, unless the incident was dated anew by what began after
 * its first detection; null: not found. Where it is another one than the incident's own, people are told both.
 */
export function firstOnset({ onset, extent }: Pick<Incident, "onset" | "extent">): Incident["onset"] {
  if (extent === undefined || (onset !== null && onset.at <= extent.detectedAt)) return onset;
  return extent.onset;
}

/**
 * The incident as every surface tells of it at present: while its plan is with the gate, carried out or verified, what is
 * degraded, by how much and whom it hurts is of now, and the decision with its ranking and onset is what was decided; a
 * closed one is told as its record tells it. Nothing is judged by it. Pure.
 */
export function asItStands(incident: Incident): Incident {
  if (incident.stage === "closed") {
    const { affectedServices, findings, impact } = asRecorded(incident);
    return { ...incident, affectedServices, findings, impact };
  }
  // What the first samples speak for is no decision yet; the ranking says how far it is.
  if (incident.stage === "detected") return { ...incident, decision: null };
  if (!isWithItsPlan(incident) || incident.present === undefined) return incident;
  const { at, ...present } = incident.present;
  return { ...incident, ...present, seenAt: at };
}

/** Whether the decision stands, and is carried out or verified: what the evidence says since changes nothing of it. */
export const isWithItsPlan = ({ stage }: Pick<Incident, "stage">): boolean =>
  stage === "executing" || stage === "verifying";

/**
 * The change that people hear of: the culprit of the decision, or else the likeliest one where it is likelier than that
 * none is to blame; null: no change is suspected.
 */
export function likeliestOf({
  decision,
  ranking,
}: Pick<Incident, "decision" | "ranking">): { readonly changeId: string; readonly probability: number } | null {
  const culprit = decision?.culprit ?? null;
  if (culprit !== null) return culprit;
  const first = ranking?.candidates[0];
  if (first === undefined || ranking === null || !isCompared(ranking)) return null;
  if (first.probability < ranking.noChangeProbability) return null;
  return { changeId: first.changeId, probability: first.probability };
}

/**
 * How the signals came back, as far as it is known: never "by themselves" where somebody may have brought it (S9). `changes`: those of
 * the incident's record, by which the change is named; one that is not among them keeps its id. Pure.
 */
export function wayBackText({ change, act, own, unheard }: WayBack, changes: readonly Change[]): string {
  if (act !== undefined) {
    const by = act.by.length === 0 ? "carried out without a person" : `approved by ${act.by.join(" and ")}`;
    return `after unship had carried out ${act.plan} (${act.does}), ${by}`;
  }
  if (change !== null) {
    const known = changes.find(({ id }) => id === change.id);
    if (known === undefined) return `after somebody had changed ${change.service} (${change.id})`;
    return `after ${known.author ?? "somebody"} had changed ${nameOfChange(known)}`;
  }
  if (unheard.length > 0) return `${own === true ? "after the act " : ""}(why is not known: ${unheard.join("; ")})`;
  return own === true ? "after the act, with no other known change" : "with no known change";
}

/**
 * Services that an incident speaks of: where it is, whoever it hurts, and those whose trouble it was opened for. The last
 * stay its own whatever is found to be hurt: else trouble that hurts nobody would be news at every look. What somebody
 * changed again after the act it speaks of no longer.
 */
export function servicesOf({ service, affectedServices, trouble = [], superseded = [] }: Incident): readonly string[] {
  const left = new Set(superseded.map((one) => one.service));
  return [...new Set([service, ...affectedServices, ...trouble])].filter((name) => !left.has(name));
}

/** The onset that it is judged by since, where it was dated anew after its first one; null: there is one onset alone. */
export function datedAnew(incident: Pick<Incident, "onset" | "extent">): Incident["onset"] {
  const first = firstOnset(incident);
  return first !== null && incident.onset?.at !== first.at ? incident.onset : null;
}

const DECIDED = "decided: ";

/**
 * The decision that was recorded last, by the incident's own timeline: when, and which action, where the line tells one. null: none
 * was. What is judged since may differ: the incident's decision is renewed while its plan waits.
 */
export function recordedDecision({
  timeline,
}: Pick<Incident, "timeline">): { readonly at: number; readonly action: DecisionAction | null } | null {
  const line = timeline.findLast(({ event }) => event.startsWith(DECIDED));
  if (line === undefined) return null;
  const [action = ""] = line.event.slice(DECIDED.length).split(" ");
  return { at: line.at, action: DecisionAction.safeParse(action).data ?? null };
}

/** When the decision that is in force was recorded, by the incident's own timeline; null: none was. */
export const decidedAt = (incident: Pick<Incident, "timeline">): number | null =>
  recordedDecision(incident)?.at ?? null;
