import { type Fenced, joined, own } from "../../model/fenced.ts";
import { name, quote } from "../../model/untrusted-text.ts";
import { allOf, type Rule, type RuleInput } from "../rule.ts";
import { targetText } from "../targets.ts";
import { type Touched, touchedByPlan } from "../touched.ts";

/**
 * What changes with the target, what the plan does not cover, and what would bring the bad version back by itself is
 * reported before the act (S13).
 */
export const aftermath: Rule = {
  name: "aftermath",
  check(input) {
    return allOf("allow", [
      ...touchedByPlan(input).flatMap((one) => alsoChanges(one, input)),
      ...input.targets.flatMap(({ target, state }) =>
        (state?.warnings ?? []).map((warning) => own`${targetText(target)}: ${quote(warning)}`),
      ),
    ]);
  },
};

/** What its own system says would change with the target, beside what the plan names. */
function alsoChanges({ target, services, unmapped, reaches }: Touched, { plan }: RuleInput): readonly Fenced[] {
  if (reaches === undefined) return [];
  const named = plan.targets.flatMap(({ service, object }) => [service, object.name]);
  const others = [...services, ...unmapped].filter((name) => !named.includes(name));
  return others.length === 0 ? [] : [own`${targetText(target)}: ${joined(others.map(name), ", ")} change with it`];
}
