import type { AllowedAction, Config, ServiceConfig } from "../config/config.ts";
import type { ActionType, Target } from "../model/plan.ts";
import { skeleton } from "../model/skeleton.ts";
import { twoPersonReasons, whyNotFor } from "./approver-rights.ts";

/** Who can approve one action, on services for which the answer is the same. */
export interface WhoApproves {
  readonly action: ActionType;
  /** By name; null: any service that the file does not describe. */
  readonly services: readonly (string | null)[];
  /** Approvers whose yes counts, by name. */
  readonly who: readonly string[];
  /** How many different people have to approve. */
  readonly needed: number;
  readonly possible: boolean;
}

type Rights = Pick<Config, "allowedActions" | "approvers" | "approval" | "services" | "dataSources">;

/**
 * Every action that the file allows, on every service that it describes and on one that it does not, with the people
 * who can approve it, by the very rules that the gate applies to an answer. Services whose own mode is observe are left
 * out, since nothing is done to them. Pure. A plan of several targets needs people who may answer for each of them.
 */
export function whoApproves(config: Rights): readonly WhoApproves[] {
  const found = new Map<string, WhoApproves>();
  for (const { target, service } of config.allowedActions.flatMap((action) => cases(action, config))) {
    const able = config.approvers.filter((one) => whyNotFor(one, target, config.services) === null);
    const who = [...new Map(able.map(({ name }) => [skeleton(name), name])).values()];
    const needed = twoPersonReasons([target], config).length > 0 ? 2 : 1;
    const key = JSON.stringify([target.action, who, needed]);
    const services = found.get(key)?.services ?? [];
    found.set(key, {
      action: target.action,
      services: services.includes(service) ? services : [...services, service],
      who,
      needed,
      possible: who.length >= needed,
    });
  }
  return [...found.values()];
}

/**
 * Whether a file promises answers that nobody can give: it names approvers, or acts only when somebody agrees, and
 * there is an action that no approver, or too few of them, may approve.
 */
export function lacksApprovers(
  { approvers, mode, services }: Pick<Config, "approvers" | "mode" | "services">,
  answers: readonly WhoApproves[],
): boolean {
  const modes = [mode, ...Object.values(services).map((service) => service.mode ?? mode)];
  return (approvers.length > 0 || modes.includes("approve")) && answers.some(({ possible }) => !possible);
}

/** "kubectl_rollout_undo of checkout and billing: two of ada, grace." */
export function whoApprovesText({ action, services, who, needed, possible }: WhoApproves): string {
  const whose = services.map(
    (service) => service ?? "any service that the file does not describe (it counts as critical)",
  );
  const what = `${action} of ${whose.join(", ")}`;
  if (possible) return `${what}: ${needed === 1 ? "one" : "two"} of ${who.join(", ")}.`;
  const able = who.length === 0 ? "no approver may answer" : `only ${who.join(", ")} may answer`;
  return `${what}: NOBODY CAN. ${needed === 1 ? "One person is" : "Two different people are"} needed, and ${able}. Add an approver, widen one's rights, or take the action out of allowed_actions.`;
}

interface Case {
  readonly target: Target;
  readonly service: string | null;
}

/** A name that no file describes: what is allowed there is allowed for services that nobody has written down. */
const UNDESCRIBED = "(a service that the file does not describe)";

function cases(allowed: AllowedAction, { services, dataSources }: Rights): readonly Case[] {
  const { type } = allowed;
  if (type === "database_migration_rollback") {
    return dataSources.migrations.map(({ name, service }) => ({
      target: targetOf(type, service, { kind: "Database", namespace: services[service]?.namespace ?? "default", name }),
      service: Object.hasOwn(services, service) ? service : null,
    }));
  }
  const described = Object.entries(services)
    .filter(([, service]) => service.mode !== "observe")
    .flatMap(([name, service]) =>
      objectsOf(type, name, service)
        .filter((object) => mayStandIn(allowed, object, service))
        .map((object) => ({ target: targetOf(type, name, object), service: name })),
    );
  const undescribed = { kind: "", namespace: "", name: UNDESCRIBED };
  return [...described, { target: targetOf(type, UNDESCRIBED, undescribed), service: null }];
}

/** The objects by which an action would reach a service; by its own name where the file names none. */
function objectsOf(type: ActionType, name: string, service: ServiceConfig): readonly Target["object"][] {
  const namespace = service.namespace ?? "";
  if (type === "feature_flag_disable")
    return service.flags.map((flag) => ({ kind: "Flag", namespace: "", name: flag }));
  if (type === "argocd_sync_to_previous" || type === "argocd_resume_auto_sync") {
    return [{ kind: "Application", namespace, name: service.argocdApplication ?? name }];
  }
  return [{ kind: service.workload?.kind ?? "Deployment", namespace, name: service.workload?.name ?? name }];
}

/** Whether the entry may cover the object. What the file leaves open is found at run time, and may be covered. */
function mayStandIn(
  { namespaces, applications }: AllowedAction,
  { kind, name }: Target["object"],
  service: ServiceConfig,
) {
  if (kind === "Flag") return true;
  const [list, written] =
    kind === "Application" ? [applications, service.argocdApplication && name] : [namespaces, service.namespace];
  return list === null || written === null || list.includes("*") || list.includes(written);
}

const targetOf = (action: ActionType, service: string, object: Target["object"]): Target => ({
  action,
  service,
  changeId: "",
  object,
  expected: { version: "", revision: "" },
  restore: { version: "", revision: "" },
});
