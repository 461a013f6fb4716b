import type { Incident } from "../model/incident.ts";
import type { Plan } from "../model/plan.ts";

/** Why nobody would carry the plan out even with a yes; null: the watch, or the gate, will. */
export function whyUseless(plan: Plan, incident: Incident | null): string | null {
  if (incident === null) return null;
  const { plan: own } = incident;
  // What the watch has filed since takes the place of the same plan of somebody else.
  const same = own !== null && own.id !== plan.id && own.hash === plan.hash;
  if (plan.proposedBy !== "watch") return same ? replacedBy(own) : null;
  if (incident.stage === "closed") return `incident ${incident.id} is closed (${incident.outcome ?? "no outcome"})`;
  return own === null || own.id === plan.id ? null : replacedBy(own);
}

const replacedBy = ({ id }: Plan): string => `${id} has taken the place of this plan`;

/** Who takes an approved plan up, in words. */
export const WHO_GOES_ON =
  "The watch, or the gate where it is a process of its own, takes it up at its next evaluation";
