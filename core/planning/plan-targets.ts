import type { Config, ServiceConfig } from "../config/config.ts";
import type { CaseFile } from "../model/assessment.ts";
import type { Change, WorkloadRef } from "../model/change.ts";
import type { Decision } from "../model/decision.ts";
import type { Rollout } from "../model/evidence.ts";
import type { Target } from "../model/plan.ts";
import { badVersions, knownGood } from "./known-good.ts";

export interface PlannedTargets {
  readonly targets: readonly Target[];
  /** Why there is no plan that can be executed whole; then `targets` is empty. */
  readonly obstacles: readonly string[];
}

export interface PlanOptions {
  /** Versions with bad outcomes in earlier incidents, by service. */
  readonly pastBad?: ReadonlyMap<string, ReadonlySet<string>>;
}

/**
 * What the decision takes back, made concrete: for each change in order, the object, what must stand there now and
 * what will stand there afterwards. One change that cannot be taken back makes the whole plan impossible: half of a
 * coordinated set is worse than none.
 */
export function planTargets(
  decision: Decision,
  caseFile: CaseFile,
  config: Config,
  options: PlanOptions = {},
): PlannedTargets {
  if (decision.action !== "rollback" && decision.action !== "feature_flag_disable")
    return { targets: [], obstacles: [] };
  return targetsFor(caseFile, config, decision.changeIds, options);
}

/** The targets that would take these changes back, in this order; `obstacles` says why there are none. */
export function targetsFor(
  caseFile: CaseFile,
  config: Config,
  changeIds: readonly string[],
  options: PlanOptions = {},
): PlannedTargets {
  const planned = changeIds.map((id) => {
    const change = caseFile.changes.find((one) => one.id === id);
    if (change === undefined) return `change ${id} is not in the case`;
    return change.kind === "flag" ? flagTarget(change, caseFile) : workloadTarget(change, caseFile, config, options);
  });
  const obstacles = planned.filter((one) => typeof one === "string");
  const targets = planned.filter((one) => typeof one !== "string");
  if (targets.length === 0 && obstacles.length === 0) return { targets, obstacles: ["the decision names no change"] };
  return obstacles.length > 0 ? { targets: [], obstacles } : { targets, obstacles };
}

function flagTarget(change: Change, caseFile: CaseFile): Target | string {
  const key = change.flag;
  if (key === undefined) return `${change.id} does not say which flag it switched`;
  const states = caseFile.flags.filter((flag) => flag.key === key);
  const state = states.find(({ environment }) => environment === change.environment) ?? states[0];
  if (state !== undefined && !state.enabled) return `flag ${key} is off already: nothing to do`;
  const environment = state?.environment ?? change.environment;
  return {
    action: "feature_flag_disable",
    service: change.service,
    changeId: change.id,
    object: change.workload ?? { kind: "Flag", namespace: "", name: key },
    ...(environment === undefined ? {} : { environment }),
    expected: { version: state?.version ?? change.to, revision: "on" },
    restore: { version: change.from, revision: "off" },
  };
}

function workloadTarget(change: Change, caseFile: CaseFile, config: Config, options: PlanOptions): Target | string {
  const service = config.services[change.service];
  const rollout = rolloutOf(change, caseFile.rollouts);
  const bad = badVersions(change.service, caseFile.changes, options.pastBad?.get(change.service));
  const application = service?.argocdApplication ?? null;
  const base = {
    action: application === null ? ("kubectl_rollout_undo" as const) : ("argocd_sync_to_previous" as const),
    service: change.service,
    changeId: change.id,
    ...(change.environment === undefined ? {} : { environment: change.environment }),
  };
  if (rollout === undefined) {
    if (bad.has(change.from)) return `${change.from}, which ran before ${change.id}, was itself taken back before`;
    const object = objectOf(change, service, application);
    if (object === null) return `no workload of ${change.service} is known: name it under services.${change.service}`;
    return {
      ...base,
      object,
      expected: { version: change.to, revision: change.toRevision ?? "" },
      restore: { version: change.from, revision: change.fromRevision ?? "" },
    };
  }
  if (rollout.version !== change.to)
    return `${change.service} is at ${rollout.version} now, no longer at ${change.to} that ${change.id} brought`;
  if (change.toRevision !== undefined && rollout.revision !== change.toRevision)
    return `${change.service} is at revision ${rollout.revision} now, no longer at ${change.toRevision} that ${change.id} brought`;
  const good = knownGood(change, rollout, bad);
  if ("obstacle" in good) return good.obstacle;
  const object = application === null ? rollout.workload : argoObject(service, application);
  return {
    ...base,
    object,
    expected: { version: rollout.version, revision: rollout.revision },
    restore: { version: good.version, revision: good.revision },
  };
}

function rolloutOf(change: Change, rollouts: readonly Rollout[]): Rollout | undefined {
  const { workload } = change;
  const exact =
    workload === undefined
      ? undefined
      : rollouts.find(
          (one) =>
            one.workload.kind === workload.kind &&
            one.workload.namespace === workload.namespace &&
            one.workload.name === workload.name,
        );
  return exact ?? rollouts.find((one) => one.service === change.service);
}

const argoObject = (service: ServiceConfig | undefined, name: string): WorkloadRef => ({
  kind: "Application",
  namespace: service?.namespace ?? "",
  name,
});

function objectOf(change: Change, service: ServiceConfig | undefined, application: string | null): WorkloadRef | null {
  if (application !== null) return argoObject(service, application);
  if (change.workload !== undefined) return change.workload;
  if (service === undefined || service.namespace === null) return null;
  const { kind, name } = service.workload ?? { kind: "Deployment", name: change.service };
  return { kind, namespace: service.namespace, name };
}
