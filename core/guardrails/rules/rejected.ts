import { askPerson, clockText, deny, type Rule } from "../rule.ts";

/**
 * A person who was asked and said no must not be asked again by the same plan; and another plan that would undo the same,
 * of this incident or of a later one, needs a person whatever the evidence says since (S4).
 */
export const rejected: Rule = {
  name: "rejected",
  check({ store, now }) {
    const no = store.approvals.find(({ answer }) => answer === "reject");
    if (no !== undefined)
      return deny(`${no.by} rejected this plan at ${clockText(no.at, now)}${no.reason === "" ? "" : `: ${no.reason}`}`);
    const before = store.refusals.at(-1);
    if (before === undefined) return undefined;
    const { planId, by, at, reason } = before;
    return askPerson(
      `${by} rejected plan ${planId}, which would have undone the same, at ${clockText(at, now)}${reason === "" ? "" : `: ${reason}`}`,
    );
  },
};
