import { ours, own } from "../../model/fenced.ts";
import { name } from "../../model/untrusted-text.ts";
import { listedName, namesOf } from "../names.ts";
import { allOf, type Rule } from "../rule.ts";

/** Some services are too critical for a machine to decide alone, by whatever name a plan reaches them (S3). */
export const neverAuto: Rule = {
  name: "never-auto",
  check({ plan, policy }) {
    const list = policy.guardrails.neverAutoRollback;
    return allOf(
      "require_approval",
      plan.targets.flatMap((target) => {
        const hit = listedName(namesOf(target, policy.services), list);
        if (hit === undefined) return [];
        const { name: met, entry, exact } = hit;
        const is = exact ? "stands" : own`resembles ${ours(entry)}, which stands`;
        return [own`the ${ours(met.what)} ${name(met.name)} ${is} under never_auto_rollback`];
      }),
    );
  },
};
