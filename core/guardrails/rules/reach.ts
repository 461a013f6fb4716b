import { type Fenced, own } from "../../model/fenced.ts";
import type { ActionType } from "../../model/plan.ts";
import { name } from "../../model/untrusted-text.ts";
import { skeleton } from "../names.ts";
import { reachOf } from "../reach.ts";
import { allOf, type InspectedTarget, type Rule, type RuleInput } from "../rule.ts";
import { targetText } from "../targets.ts";

/**
 * An application or a flag is one name for many things. One protected service among them, or one that nobody has
 * described, holds the whole plan: part of a sync, or of a switch, cannot be left out (S3).
 */
export const reach: Rule = {
  name: "reach",
  check(input) {
    return allOf(
      "require_approval",
      input.targets
        .filter(({ target }) => BY_ONE_NAME.includes(target.action))
        .flatMap((one) => reasonsFor(one, input)),
    );
  },
};

const BY_ONE_NAME: readonly ActionType[] = [
  "argocd_sync_to_previous",
  "argocd_resume_auto_sync",
  "feature_flag_disable",
];

function reasonsFor(one: InspectedTarget, { policy }: RuleInput): readonly Fenced[] {
  const { target, state } = one;
  const { services, unmapped } = reachOf(one, policy.services);
  const isFlag = target.action === "feature_flag_disable";
  const text = isFlag ? own`the flag ${name(target.object.name)}` : targetText(target);
  const listed = Object.entries(policy.services).some(([, service]) =>
    isFlag ? service.flags.includes(target.object.name) : service.argocdApplication === target.object.name,
  );
  const never = policy.guardrails.neverAutoRollback;
  const protectedOnes = [...new Set([...services, ...unmapped, ...(state?.touches ?? [])])].filter((one) =>
    never.some((entry) => skeleton(entry) === skeleton(one)),
  );
  const key = isFlag ? "flags" : "argocd_application";
  const reaches = state?.reaches;
  return [
    ...protectedOnes.map((one) => own`${text} reaches ${name(one)}, which stands under never_auto_rollback`),
    ...unmapped.map((one) => own`${text} reaches ${name(one)}, which no service of the file describes`),
    ...(listed || (isFlag && reaches !== undefined && reaches.length > 0)
      ? []
      : [
          own`no service of the file names ${text}: put it under services.<service>.${key}, so that its reach is known`,
        ]),
    ...(isFlag || reaches !== undefined ? [] : [own`what a sync of ${text} would change is not known`]),
  ];
}
