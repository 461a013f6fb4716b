import type { Incident } from "../../core/model/incident.ts";
import { degradedOf } from "./degraded.ts";
import { servicesOf, worse } from "./incident-state.ts";
import type { Evaluation } from "./pursuit.ts";

/**
 * The incident as people are told of it now. While an act is carried out or verified it keeps what was decided upon; what is
 * degraded, by how much and whom it hurts is read from the newest evidence, by the services that it speaks of.
 */
export function asItIs(incident: Incident, { parts, caseFile }: Pick<Evaluation, "parts" | "caseFile">): Incident {
  if (incident.stage !== "executing" && incident.stage !== "verifying") return incident;
  const { services } = degradedOf(caseFile);
  const still = servicesOf(incident).filter((name) => services.has(name));
  if (still.length === 0) return { ...incident, findings: [], conditions: [], affectedServices: [], impact: null };
  const { findings, conditions, answers } = parts.assess(caseFile, still);
  return {
    ...incident,
    findings: worse(findings).filter(({ service }) => still.includes(service)),
    conditions: [...conditions],
    affectedServices: still,
    impact: answers.evaluate_business_impact?.impact ?? null,
  };
}
