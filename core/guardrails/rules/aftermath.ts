import { type Fenced, joined, own } from "../../model/fenced.ts";
import { name, quote } from "../../model/untrusted-text.ts";
import { reachOf } from "../reach.ts";
import { allOf, type InspectedTarget, type Rule, type RuleInput } from "../rule.ts";
import { targetText } from "../targets.ts";

/** What moves too, stays undone, or would bring the bad version back by itself, is said out loud before it happens (S13). */
export const aftermath: Rule = {
  name: "aftermath",
  check(input) {
    return allOf(
      "allow",
      input.targets.flatMap((one) =>
        [...alsoChanges(one, input), ...(one.state?.warnings ?? []).map((warning) => quote(warning))].map(
          (warning) => own`${targetText(one.target)}: ${warning}`,
        ),
      ),
    );
  },
};

/** What its own system says would change with the target, beside what the plan names. */
function alsoChanges(one: InspectedTarget, { plan, policy }: RuleInput): readonly Fenced[] {
  if (one.state?.reaches === undefined) return [];
  const { services, unmapped } = reachOf(one, policy.services);
  const named = plan.targets.flatMap(({ service, object }) => [service, object.name]);
  const others = [...services, ...unmapped].filter((name) => !named.includes(name));
  return others.length === 0 ? [] : [own`${joined(others.map(name), ", ")} change with it`];
}
