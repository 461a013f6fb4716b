import { own } from "../../model/fenced.ts";
import { clockText } from "../../model/time.ts";
import { name } from "../../model/untrusted-text.ts";
import { ALL_SERVICES } from "../gate-store.ts";
import { listedName } from "../names.ts";
import { allOf, type Rule } from "../rule.ts";
import { namesTouched, touchedByPlan } from "../touched.ts";

/** Anyone can pause unship at once; resuming needs an approver (S14). */
export const paused: Rule = {
  name: "paused",
  check(input) {
    const { store, now } = input;
    const names = touchedByPlan(input).flatMap(namesTouched);
    const reasons = store.pauses.flatMap(({ scope, by, at }) => {
      const since = own`by ${name(by)} since ${clockText(at, now)}; an approver can resume`;
      if (scope === ALL_SERVICES) return [own`everything is paused ${since}`];
      return listedName(names, [scope]) === undefined ? [] : [own`${name(scope)} is paused ${since}`];
    });
    return allOf("deny", reasons);
  },
};
