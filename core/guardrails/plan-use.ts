import type { Incident } from "../model/incident.ts";
import type { Plan } from "../model/plan.ts";
import { name } from "../model/untrusted-text.ts";

/** Why nobody would carry the plan out even with a yes; null: the watch, or the gate, will. */
export function whyUseless(plan: Plan, incident: Incident | null): string | null {
  if (incident === null) return null;
  const { plan: own } = incident;
  // What the watch has filed since takes the place of the same plan of somebody else.
  const same = own !== null && own.id !== plan.id && own.hash === plan.hash;
  const over = whyOver(incident);
  if (over !== null) return `${over}; propose it again outside any incident`;
  if (plan.proposedBy !== "watch") return same ? replacedBy(own) : null;
  return own === null || own.id === plan.id ? null : replacedBy(own);
}

/** Why nothing is proposed or carried out for an incident any more; null: it is open. */
export function whyOver({ id, stage, outcome, joined }: Pick<Incident, "id" | "stage" | "outcome" | "joined">) {
  if (stage !== "closed") return null;
  const goesOn = joined === undefined ? "" : `, and goes on in ${name(joined)}`;
  return `incident ${name(id)} is closed (${outcome ?? "no outcome"})${goesOn}`;
}

const replacedBy = ({ id }: Plan): string => `${id} has taken the place of this plan`;
