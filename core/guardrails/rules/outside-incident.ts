import { own } from "../../model/fenced.ts";
import { name } from "../../model/untrusted-text.ts";
import { askPerson, deny, type Rule } from "../rule.ts";

/**
 * Outside an incident nothing says what a plan is to mend, and a watch sees whether it helped only where an open incident suspects
 * the same (S1). A plan whose incident has closed is over with it, whoever proposed and whoever approved it: what it was proposed
 * and approved upon is past (S6), and no open incident would show the act or verify it (S15).
 */
export const outsideIncident: Rule = {
  name: "outside-incident",
  check({ plan, store }) {
    if (store.incident === "closed")
      return deny(
        own`incident ${name(plan.incidentId)}, which the plan was proposed for, is closed: propose it again outside any incident, where a person has to approve it`,
      );
    if (store.incident !== "none") return undefined;
    return askPerson(
      own`the plan belongs to no incident: nothing recorded says what it fixes, and recovery is verified only where an open incident suspects what it rolls back`,
    );
  },
};
