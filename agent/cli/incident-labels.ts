import type { Incident } from "../../core/model/incident.ts";

/** Which incident an event is about, and whether it is still open after it. */
export type Labelled = Pick<Incident, "id" | "service" | "stage">;

/**
 * Names the incident of each event while more than one is open, for a terminal that shows the events of all: its service;
 * where two open ones are of one service, with the last part of the id. "" while there is one alone, and for events of no
 * incident. `next` takes the events in their order.
 */
export function createIncidentLabels(): { readonly next: (incident: Labelled | null) => string } {
  const open = new Map<string, string>();
  return {
    next(incident) {
      if (incident === null) return "";
      const { id, service, stage } = incident;
      open.set(id, service);
      const others = [...open].filter(([other]) => other !== id);
      if (stage === "closed") open.delete(id);
      if (others.length === 0) return "";
      return others.some(([, other]) => other === service) ? `${service} ${id.split("-").at(-1)}` : service;
    },
  };
}
