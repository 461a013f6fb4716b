import { clockText, deny, type Rule } from "../rule.ts";

/** A person who was asked and said no must not be asked again by the same plan (S4). */
export const rejected: Rule = {
  name: "rejected",
  check({ store, now }) {
    const no = store.approvals.find(({ answer }) => answer === "reject");
    if (no === undefined) return undefined;
    return deny(`${no.by} rejected this plan at ${clockText(no.at, now)}${no.reason === "" ? "" : `: ${no.reason}`}`);
  },
};
