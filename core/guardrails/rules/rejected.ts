import { type Fenced, joined, own } from "../../model/fenced.ts";
import { clockText } from "../../model/time.ts";
import { name, quote } from "../../model/untrusted-text.ts";
import { askPerson, deny, type Rule } from "../rule.ts";
import { targetText } from "../targets.ts";

/**
 * A plan that a person rejected is not put before people again. Another plan that would undo any of the same
 * changes, in this incident or a later one, needs approval whatever the evidence says since (S4).
 */
export const rejected: Rule = {
  name: "rejected",
  check({ plan, store, now }) {
    const no = store.approvals.find(({ answer }) => answer === "reject");
    if (no !== undefined)
      return deny(own`${name(no.by)} rejected this plan at ${clockText(no.at, now)}${because(no.reason)}`);
    const before = store.refusals.at(-1);
    if (before === undefined) return undefined;
    const { planId, by, at, reason, targets } = before;
    const what = targets.length === plan.targets.length ? "the same" : joined(targets.map(targetText), ", ");
    return askPerson(
      own`${name(by)} rejected plan ${name(planId)}, which would have undone ${what}, at ${clockText(at, now)}${because(reason)}`,
    );
  },
};

const because = (reason: string): Fenced | "" => (reason === "" ? "" : own`: ${quote(reason)}`);
