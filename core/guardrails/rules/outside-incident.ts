import { own } from "../../model/fenced.ts";
import { name } from "../../model/untrusted-text.ts";
import { askPerson, deny, type Rule } from "../rule.ts";

/**
 * Outside an incident nothing records what a plan is to fix, and recovery is verified only where an open incident
 * suspects the same change (S1). A plan whose incident is closed is denied, whoever proposed or approved it: the
 * evidence that it was proposed and approved on is past (S6), and no open incident would show or verify the act
 * (S15).
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
