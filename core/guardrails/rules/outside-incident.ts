import { own } from "../../model/fenced.ts";
import { name } from "../../model/untrusted-text.ts";
import type { IncidentStanding } from "../gate-store.ts";
import { askPerson, deny, type Rule, type RuleInput } from "../rule.ts";

const OUTSIDE = own`nothing recorded says what it fixes, and recovery is verified only where an open incident suspects what it rolls back`;

/**
 * Outside an incident nothing says what a plan is to mend, and a watch sees whether it helped only where an open incident suspects
 * the same (S1). A plan whose incident has closed is over with it, whoever proposed and whoever approved it: what it was proposed
 * and approved upon is past (S6), and no open incident would show the act or verify it (S15).
 */
export const outsideIncident: Rule = {
  name: "outside-incident",
  check({ plan, store }) {
    return ANSWERS[store.incident](plan);
  },
};

const ANSWERS: Readonly<Record<IncidentStanding, (plan: RuleInput["plan"]) => ReturnType<Rule["check"]>>> = {
  none: () => askPerson(own`the plan belongs to no incident: ${OUTSIDE}`),
  open: () => undefined,
  // The watch's own plans are of incidents that it is about to write down; others are refused when they are proposed.
  unknown: () => undefined,
  closed: ({ incidentId }) =>
    deny(own`incident ${name(incidentId)}, which the plan was proposed for, is closed: ${PROPOSE_OUTSIDE}`),
};

/** What to do about a plan for an incident that is closed. */
const PROPOSE_OUTSIDE = own`propose it again outside any incident, where a person has to approve it, or in one that is open`;
