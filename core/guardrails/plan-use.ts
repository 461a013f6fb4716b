import type { Incident } from "../model/incident.ts";
import type { Plan } from "../model/plan.ts";

/** Why nobody would carry the plan out even with a yes; null: the watch will, or whoever proposed it over MCP. */
export function whyUseless(plan: Plan, incident: Incident | null): string | null {
  if (plan.proposedBy !== "watch" || incident === null) return null;
  if (incident.stage === "closed") return `incident ${incident.id} is closed (${incident.outcome ?? "no outcome"})`;
  if (incident.plan === null || incident.plan.id === plan.id) return null;
  return `${incident.plan.id} has taken the place of this plan`;
}

/** Who takes an approved plan up, in words. */
export const whoGoesOn = ({ proposedBy }: Plan): string =>
  proposedBy === "watch" ? "The watch takes it up on its next look" : "Whoever proposed it can submit it again now";
