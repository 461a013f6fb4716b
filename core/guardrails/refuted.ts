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

/**
 * Incidents as what learns from them has to take them: one whose recovery a later one shows to be none, for its own service or
 * one that was taken back, ended "unknown", since nobody saw whether its act helped (S9). The others are as they were. Pure.
 */
export function asTheyTurnedOut(incidents: readonly Incident[]): readonly Incident[] {
  return incidents.map((incident) => (isRefuted(incident, incidents) ? withoutRecovery(incident) : incident));
}

/** Earlier incidents whose recovery this one shows to be none, as they turned out. Pure. */
export function refutedWith(incident: Incident, incidents: readonly Incident[]): readonly Incident[] {
  const others = incidents.filter(({ id }) => id !== incident.id);
  return others.filter((one) => isRefuted(one, [incident])).map(withoutRecovery);
}

function isRefuted(incident: Incident, incidents: readonly Incident[]): boolean {
  if (!isRecoveryConfirmed(incident)) return false;
  const takenBack = (incident.gate?.results ?? []).map(({ target }) => target.service);
  const services = takenBack.length === 0 ? [incident.service] : [...new Set(takenBack)];
  return services.some((service) => refutedBy(incident, service, incidents) !== null);
}

const withoutRecovery = (incident: Incident): Incident => ({ ...incident, outcome: "unknown" });
