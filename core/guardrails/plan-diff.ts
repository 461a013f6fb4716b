import type { Config } from "../config/config.ts";
import type { ActionType, GateReview, Plan, Target } from "../model/plan.ts";
import { name } from "../model/untrusted-text.ts";
import { twoPersonReasons, whyNotFor } from "./approver-rights.ts";
import { servicesOf } from "./names.ts";
import { versionText } from "./targets.ts";

/** One target of a plan, as the person who answers for it reads it. */
export interface TargetDiff {
  readonly action: ActionType;
  /** "Deployment/checkout in production". */
  readonly object: string;
  readonly service: string;
  /** "v2 (revision 7)"; a flag is "on" or "off". */
  readonly runsNow: string;
  readonly willRun: string;
}

/** A plan as a diff: what changes, what else moves, what stays, what holds it, and who may say yes. */
export interface PlanDiff {
  readonly targets: readonly TargetDiff[];
  /** Empty: nothing that unship knows of. */
  readonly alsoMoves: readonly string[];
  readonly notCovered: readonly string[];
  /** The rules that did not allow it, as the gate last judged. */
  readonly heldBy: GateReview["rules"];
  /** Names of approvers who may answer for all of it; empty: nobody in the file. */
  readonly mayApprove: readonly string[];
  /** How many different people have to say yes. */
  readonly peopleNeeded: 1 | 2;
}

/** Pure. `review`: what the gate last said of the plan, where it is known. */
export function planDiff(
  plan: Plan,
  config: Pick<Config, "services" | "approvers" | "approval">,
  review?: GateReview,
): PlanDiff {
  const { targets } = plan;
  const rules = review?.rules ?? [];
  const told = rules.filter(({ rule }) => rule === "aftermath").flatMap(({ reason }) => reason.split("; "));
  return {
    targets: targets.map(targetDiff),
    alsoMoves: [...targets.flatMap((target) => alsoMoves(target, plan, config.services)), ...told],
    notCovered: [...new Set(targets.flatMap(({ action }) => NOT_COVERED[action]))],
    heldBy: rules.filter(({ verdict }) => verdict !== "allow"),
    mayApprove: config.approvers
      .filter((one) => targets.every((target) => whyNotFor(one, target, config.services) === null))
      .map((one) => one.name),
    peopleNeeded: twoPersonReasons(targets, config).length > 0 ? 2 : 1,
  };
}

/** A diff in lines, for a message that asks for an answer. */
export function diffLines({ targets, alsoMoves, notCovered, mayApprove, peopleNeeded }: PlanDiff): readonly string[] {
  const names = mayApprove.length === 0 ? "nobody in the file" : mayApprove.join(", ");
  return [
    ...targets.map(
      ({ action, object, service, runsNow, willRun }) =>
        `${name(service)}: runs ${runsNow}, will run ${willRun} (${action} of ${object})`,
    ),
    ...(alsoMoves.length === 0 ? [] : [`Also moves: ${alsoMoves.join("; ")}`]),
    `Not covered: ${notCovered.join("; ")}`,
    `${peopleNeeded === 2 ? "Two of these have to approve" : "May approve"}: ${names}`,
  ];
}

function targetDiff({ action, object, service, environment, expected, restore }: Target): TargetDiff {
  const isFlag = action === "feature_flag_disable";
  const place = environment === undefined ? `in ${name(object.namespace)}` : `in environment ${name(environment)}`;
  const words = (at: Target["expected"]) => (isFlag ? name(at.revision) : versionText(at));
  return {
    action,
    object: `${name(object.kind)}/${name(object.name)} ${place}`,
    service,
    runsNow: words(expected),
    willRun: words(restore),
  };
}

/** Services of the file that share the object, and are no target of their own. */
function alsoMoves(target: Target, { targets }: Plan, services: Config["services"]): readonly string[] {
  return servicesOf(target, services)
    .filter((service) => !targets.some((one) => one.service === service))
    .map(
      (service) => `${service}, which the file says ${name(target.object.kind)} ${name(target.object.name)} belongs to`,
    );
}

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
  argocd_resume_auto_sync: ["git: what it asks for by now is deployed, whatever that is"],
  rollout_abort: ["the spec: it still asks for the version that is aborted", ...CODE],
  rollout_pause: ["both versions: each goes on serving the share that it has"],
  rollout_promote: CODE.slice(1),
};
