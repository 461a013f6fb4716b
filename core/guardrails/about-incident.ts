import type { Incident } from "../model/incident.ts";
import { NO_INCIDENT, type Plan } from "../model/plan.ts";
import { servicesOf } from "../model/recorded.ts";

/**
 * Whether a plan is about this incident, as one that was proposed in it is: it takes back a change that the incident blames, or
 * one at a service of its own that it suspects, while it has no plan of its own about something else. Pure.
 */
export function isAbout({ incidentId, targets }: Plan, incident: Incident): boolean {
  if (incidentId !== NO_INCIDENT) return incidentId === incident.id;
  const { decision, ranking, plan: own } = incident;
  const blamed = new Set([
    ...(decision?.changeIds ?? []),
    ...(decision?.culprit == null ? [] : [decision.culprit.changeId]),
    ...(own?.targets ?? []).map(({ changeId }) => changeId),
  ]);
  if (targets.some(({ changeId }) => blamed.has(changeId))) return true;
  if (own !== null) return false;
  const services = servicesOf(incident);
  const suspected = new Set((ranking?.candidates ?? []).map(({ changeId }) => changeId));
  return targets.some(
    ({ changeId, service }) => services.includes(service) && (ranking === null || suspected.has(changeId)),
  );
}
