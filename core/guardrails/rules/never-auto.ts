import { ours, own } from "../../model/fenced.ts";
import { name } from "../../model/untrusted-text.ts";
import { listedName } from "../names.ts";
import { allOf, type Rule } from "../rule.ts";
import { touchedByPlan } from "../touched.ts";

/** Some services are too critical for automatic action, by whatever name a plan reaches them (S3). */
export const neverAuto: Rule = {
  name: "never-auto",
  check(input) {
    const list = input.policy.guardrails.neverAutoRollback;
    return allOf(
      "require_approval",
      touchedByPlan(input).flatMap((one) => {
        const hit = listedName(one.own, list);
        if (hit === undefined) return [];
        const { name: met, entry, exact } = hit;
        const is = exact ? "stands" : own`resembles ${ours(entry)}, which is listed`;
        return [own`the ${ours(met.what)} ${name(met.name)} ${is} under never_auto_rollback`];
      }),
    );
  },
};
