import type { CaseFile } from "../../core/model/assessment.ts";
import { extentWith } from "../../core/model/extent.ts";
import type { Incident, Present } from "../../core/model/incident.ts";
import { isWithItsPlan } from "../../core/model/recorded.ts";
import { freshFor } from "./fresh.ts";
import { servicesOf, worse } from "./incident-state.ts";
import type { Evaluation } from "./pursuit.ts";

type Looking = Pick<Evaluation, "parts" | "caseFile">;

const made = new WeakMap<CaseFile, Map<string, Present>>();

/**
 * The incident with how it stands now, where its decision stands already: while an act is carried out or verified it keeps what
 * was decided upon, and what is degraded, by how much and whom it hurts is read from the newest evidence.
 */
export function withPresent(incident: Incident, looking: Looking): Incident {
  if (!isWithItsPlan(incident)) return incident;
  const present = presentOf(incident, looking);
  const { detectedAt, onset, extent } = incident;
  // Whom it had hurt until then stays as it was found; that it got worse since belongs to its record, too.
  const found = { detectedAt, onset, services: [], findings: [], impact: present.impact };
  return { ...incident, present, ...(extent === undefined ? {} : { extent: extentWith(extent, found) }) };
}

/** The same, where what stands in the record has grown too old to be shown. */
export function withFreshPresent(incident: Incident, looking: Looking): Incident {
  const age = looking.caseFile.at - (incident.present?.at ?? incident.seenAt ?? 0);
  return age < freshFor(incident) ? incident : withPresent(incident, looking);
}

function presentOf(incident: Incident, { parts, caseFile }: Looking): Present {
  const services = servicesOf(incident);
  const key = JSON.stringify(services);
  const known = made.get(caseFile) ?? new Map<string, Present>();
  made.set(caseFile, known);
  const before = known.get(key);
  if (before !== undefined) return before;
  const { findings, conditions, answers } = (parts.present ?? parts.assess)(caseFile, services);
  const present: Present = {
    at: caseFile.at,
    findings: [...worse(findings)],
    conditions: [...conditions],
    affectedServices: [...(answers.check_affected_services?.services ?? [])],
    impact: answers.evaluate_business_impact?.impact ?? null,
  };
  known.set(key, present);
  return present;
}
