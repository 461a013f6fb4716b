import { own } from "../../model/fenced.ts";
import { NO_INCIDENT } from "../../model/plan.ts";
import { askPerson, type Rule } from "../rule.ts";

/** Outside an incident nothing says what a plan is to mend, and a watch sees whether it helped only where an open incident suspects the same (S1). */
export const outsideIncident: Rule = {
  name: "outside-incident",
  check({ plan }) {
    if (plan.incidentId !== NO_INCIDENT) return undefined;
    return askPerson(
      own`the plan belongs to no incident: nothing recorded says what it fixes, and recovery is verified only where an open incident suspects what it rolls back`,
    );
  },
};
