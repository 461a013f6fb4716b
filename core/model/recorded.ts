import type { Incident } from "./incident.ts";

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
    onset: extent.onset ?? (incident.onset !== null && incident.onset.at <= extent.detectedAt ? incident.onset : null),
    affectedServices: [...extent.services],
    findings: [...extent.findings, ...others],
    impact:
      impact === null
        ? null
        : { ...impact, affectedServices: [...new Set([...extent.services, ...impact.affectedServices])] },
  };
}

/** When the decision that is in force was recorded, by the incident's own timeline; null: none was. */
export const decidedAt = ({ timeline }: Pick<Incident, "timeline">): number | null =>
  timeline.findLast(({ event }) => event.startsWith("decided: "))?.at ?? null;
