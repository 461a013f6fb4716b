import { type Fenced, own } from "../../model/fenced.ts";
import type { ActionType } from "../../model/plan.ts";
import { name } from "../../model/untrusted-text.ts";
import { listedName } from "../names.ts";
import { allOf, type Rule, type RuleInput } from "../rule.ts";
import { targetKey, targetText } from "../targets.ts";
import { type Touched, touchedByPlan } from "../touched.ts";

/**
 * An application or a flag can cover many services. One protected service among them, or one that the file does not
 * describe, holds the whole plan, since no part of a sync or of a switch can be left out (S3).
 */
export const reach: Rule = {
  name: "reach",
  check(input) {
    // A target that was settled before a restart changes nothing any more.
    const open = new Set(input.targets.map(({ target }) => targetKey(target)));
    return allOf(
      "require_approval",
      touchedByPlan(input)
        .filter(({ target }) => open.has(targetKey(target)))
        .flatMap((one) => [
          ...protectedIn(one, input),
          ...(BY_ONE_NAME.includes(one.target.action) ? unknownIn(one, input) : []),
        ]),
    );
  },
};

const BY_ONE_NAME: readonly ActionType[] = [
  "argocd_sync_to_previous",
  "argocd_resume_auto_sync",
  "feature_flag_disable",
];

/** What stands under never_auto_rollback among all that changes with a target, by whatever name. */
function protectedIn(one: Touched, { policy }: RuleInput): readonly Fenced[] {
  const never = policy.guardrails.neverAutoRollback;
  const names = [...new Set([...reachingServices(one), ...one.reached.map(({ name }) => name)])];
  return names
    .filter((met) => listedName([{ name: met, what: "object" }], never) !== undefined)
    .map((met) => own`${nounOf(one)} reaches ${name(met)}, which is listed under never_auto_rollback`);
}

/** Whoever shares a workload under one name is the rule never-auto's. */
const reachingServices = ({ target, services }: Touched): readonly string[] =>
  BY_ONE_NAME.includes(target.action) ? services : [];

/** What nobody has described, or told, of what is one name for many things. */
function unknownIn(one: Touched, { policy }: RuleInput): readonly Fenced[] {
  const { target, unmapped, reaches } = one;
  const isFlag = isSwitch(one);
  const text = nounOf(one);
  const listed = Object.entries(policy.services).some(([, service]) =>
    isFlag ? service.flags.includes(target.object.name) : service.argocdApplication === target.object.name,
  );
  const key = isFlag ? "flags" : "argocd_application";
  return [
    ...unmapped.map((met) => own`${text} reaches ${name(met)}, which no service of the file describes`),
    ...(listed || (isFlag && reaches !== undefined && reaches.length > 0)
      ? []
      : [
          own`no service of the file names ${text}: put it under services.<service>.${key}, so that its reach is known`,
        ]),
    ...(isFlag || reaches !== undefined ? [] : [own`what a sync of ${text} would change is not known`]),
  ];
}

const isSwitch = ({ target }: Touched): boolean => target.action === "feature_flag_disable";

const nounOf = (one: Touched): Fenced =>
  isSwitch(one) ? own`the flag ${name(one.target.object.name)}` : targetText(one.target);
