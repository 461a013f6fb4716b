import { type Incident, isRecoveryConfirmed } from "../model/incident.ts";

/**
 * The incident that shows that a confirmed recovery of a service was none: at the latest credible moment of its onset the recovery
 * was still to be told, it was detected after the recovered incident and had not ended by then, and it is about the same
 * service. null: nothing among `incidents` contradicts the recovery. Pure.
 */
export function refutedBy(incident: Incident, service: string, incidents: readonly Incident[]): Incident | null {
  const toldAt = incident.recovery?.at ?? null;
  if (!isRecoveryConfirmed(incident) || toldAt === null) return null;
  const isAbout = ({ service: first, affectedServices, trouble = [] }: Incident) =>
    first === service || affectedServices.includes(service) || trouble.includes(service);
  return (
    incidents.find(
      (one) =>
        one.id !== incident.id &&
        one.joined === undefined &&
        one.detectedAt > incident.detectedAt &&
        one.onset !== null &&
        one.onset.latest <= toldAt &&
        (one.closedAt === null || one.closedAt > toldAt) &&
        isAbout(one),
    ) ?? null
  );
}
