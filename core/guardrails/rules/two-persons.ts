import { joined, ours, own } from "../../model/fenced.ts";
import { name } from "../../model/untrusted-text.ts";
import { peopleOf, twoPersonReasons } from "../approver-rights.ts";
import { allOf, type Rule } from "../rule.ts";
import { reachedTargets, touchedByPlan } from "../touched.ts";

/**
 * Some actions carry too much risk for one approver: where the file says so, a second person has to review and
 * approve.
 */
export const twoPersons: Rule = {
  name: "two-persons",
  check(input) {
    const { plan, policy, store, now } = input;
    const yes = store.approvals.filter(
      ({ answer, planHash, expiresAt }) => answer === "approve" && planHash === plan.hash && now < expiresAt,
    );
    const people = peopleOf(yes);
    const so = people.length === 0 ? "nobody has approved yet" : own`approved by ${joined(people.map(name), " and ")}`;
    const reasons = twoPersonReasons([...plan.targets, ...reachedTargets(touchedByPlan(input))], policy);
    return allOf(
      "require_approval",
      reasons.map((reason) => own`${ours(reason)}; ${so}`),
    );
  },
};
