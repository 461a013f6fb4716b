import type { Config } from "../../core/config/config.ts";
import { twoPersonReasons, whyNotFor } from "../../core/guardrails/approver-rights.ts";
import { servicesOf } from "../../core/guardrails/names.ts";
import { type ActionType, type GateReview, NO_INCIDENT, type Plan, type Target } from "../../core/model/plan.ts";
import { rfc3339 } from "../../core/model/time.ts";

/**
 * A plan as the person who approves it reads it, as a diff: target by target what runs and what will run, what else
 * moves with it, what stays as it is, what holds it, and who may say yes. `review`: what the gate last said of it.
 */
export function planText(plan: Plan, config: Config, review?: GateReview): readonly string[] {
  const about = plan.incidentId === NO_INCIDENT ? "outside any incident" : `incident ${plan.incidentId}`;
  const rules = review?.rules ?? [];
  const held = rules.filter(({ verdict }) => verdict !== "allow");
  const told = rules.filter(({ rule }) => rule === "aftermath").flatMap(({ reason }) => reason.split("; "));
  const moves = [...plan.targets.flatMap((target) => alsoMoves(target, plan, config)), ...told];
  return [
    `Plan ${plan.id}, ${about}, proposed by ${plan.proposedBy}, valid until ${rfc3339(plan.expiresAt)}:`,
    ...plan.targets.flatMap(diff),
    ...section("Also moves", moves, "nothing else that unship knows of"),
    ...section("Not covered", [...new Set(plan.targets.flatMap(({ action }) => NOT_COVERED[action]))], "nothing"),
    `  Why: ${plan.reason}`,
    ...held.map(({ rule, verdict, reason }) => `  ${verdict === "deny" ? "Denied" : "Held"} by ${rule}: ${reason}`),
    ...whoMayApprove(plan, config),
  ];
}

function diff({ action, object, service, environment, expected, restore }: Target, index: number): readonly string[] {
  const isFlag = action === "feature_flag_disable";
  const place = environment === undefined ? `in ${object.namespace}` : `in environment ${environment}`;
  const words = ({ version, revision }: Target["expected"]) =>
    isFlag ? revision : `${version} (revision ${revision})`;
  return [
    `  ${index + 1}. ${action}: ${object.kind}/${object.name} ${place}, service ${service}`,
    `     - runs now:  ${words(expected)}`,
    `     + will run:  ${words(restore)}`,
  ];
}

/** Services of the file that share the object, and are no target of their own. */
function alsoMoves(target: Target, { targets }: Plan, { services }: Config): readonly string[] {
  return servicesOf(target, services)
    .filter((service) => !targets.some((one) => one.service === service))
    .map((service) => `${service}, which the file says ${target.object.kind} ${target.object.name} belongs to`);
}

const section = (heading: string, lines: readonly string[], none: string): readonly string[] =>
  lines.length === 0 ? [`  ${heading}: ${none}.`] : [`  ${heading}:`, ...lines.map((line) => `     ${line}`)];

const CODE = [
  "configuration outside the pod template: ConfigMaps and Secrets keep what they hold now",
  "data: what was written and how it is shaped stays",
  "replicas: their number stays as it is now, by hand or by autoscaler",
];

/** What each action leaves as it is. */
const NOT_COVERED: Readonly<Record<ActionType, readonly string[]>> = {
  kubectl_rollout_undo: CODE,
  argocd_sync_to_previous: ["git: the repository still asks for the present version", ...CODE.slice(1)],
  feature_flag_disable: [
    "code: the version that runs stays",
    "data: what was written and how it is shaped stays",
    "the flag in other environments",
  ],
  database_migration_rollback: ["data that only the new schema can hold", "code: the version that runs stays"],
};

function whoMayApprove({ targets }: Plan, config: Config): readonly string[] {
  const able = config.approvers.filter((one) =>
    targets.every((target) => whyNotFor(one, target, config.services) === null),
  );
  const names = able.length === 0 ? "nobody in the file (approvers)" : able.map(({ name }) => name).join(", ");
  const two = twoPersonReasons(targets, config).length > 0 ? "; two of them have to" : "";
  return [`  May approve: ${names}${two}`];
}
