import { isStableBetter } from "../canary/stable-better.ts";
import type { Config, ServiceConfig } from "../config/config.ts";
import type { CaseFile } from "../model/assessment.ts";
import type { Change, WorkloadRef } from "../model/change.ts";
import { nameOfChange } from "../model/change-name.ts";
import type { Decision } from "../model/decision.ts";
import type { Rollout } from "../model/evidence.ts";
import type { Target } from "../model/plan.ts";
import { badVersions, knownGood, knownGoodByChanges, provenAfterMs } from "./known-good.ts";

export interface PlannedTargets {
  readonly targets: readonly Target[];
  /** Why there is no plan that can be executed whole; then `targets` is empty. */
  readonly obstacles: readonly string[];
  /** Versions that were passed over for an older one, with the reason. */
  readonly notes: readonly string[];
  /** The change that has no known-good version to go back to, if that is what stands in the way. */
  readonly noWayBack: string | null;
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
    return { targets: [], obstacles: [], notes: [], noWayBack: null };
  return targetsFor(caseFile, config, decision.changeIds, options);
}

/** One change's part of a plan, or what stands in its way. */
type Planned =
  | { readonly target: Target; readonly notes: readonly string[] }
  | { readonly obstacle: string; readonly noWayBack: boolean };

const blocked = (obstacle: string): Planned => ({ obstacle, noWayBack: false });
const noWayBack = (obstacle: string): Planned => ({ obstacle, noWayBack: true });

/** The targets that would take these changes back, in this order; `obstacles` says why there are none. */
export function targetsFor(
  caseFile: CaseFile,
  config: Config,
  changeIds: readonly string[],
  options: PlanOptions = {},
): PlannedTargets {
  const planned = changeIds.map((id) => {
    const change = caseFile.changes.find((one) => one.id === id);
    if (change === undefined) return { id, ...blocked(`change ${id} is not in the case`) };
    const part =
      change.kind === "flag"
        ? flagTarget(change, caseFile)
        : change.kind === "migration"
          ? migrationTarget(change)
          : workloadTarget(change, caseFile, config, options);
    return { id, ...part };
  });
  const obstacles = planned.flatMap((one) => ("obstacle" in one ? [one.obstacle] : []));
  if (planned.length === 0) obstacles.push("the decision names no change");
  const lost = planned.find((one) => "obstacle" in one && one.noWayBack);
  if (obstacles.length > 0) return { targets: [], obstacles, notes: [], noWayBack: lost?.id ?? null };
  const parts = planned.flatMap((one) => ("target" in one ? [one] : []));
  const targets = eachOnce(parts.map(({ target }) => target));
  const twice = targets.find((one, index) => targets.findIndex((other) => isSameObject(one, other)) !== index);
  if (twice !== undefined) {
    const { kind, name } = twice.object;
    const reason = `${kind} ${name} would have to be restored to two versions at once: a person has to choose`;
    return { targets: [], obstacles: [reason], notes: [], noWayBack: null };
  }
  return {
    targets,
    obstacles,
    notes: parts.flatMap(({ notes }) => notes),
    noWayBack: null,
  };
}

/** Services that one application deploys go back together, by one act. */
function eachOnce(targets: readonly Target[]): readonly Target[] {
  const same = (a: Target["expected"], b: Target["expected"]) => a.version === b.version && a.revision === b.revision;
  const isSame = (a: Target, b: Target) =>
    isSameObject(a, b) && same(a.expected, b.expected) && same(a.restore, b.restore);
  return targets.filter((one, index) => targets.findIndex((other) => isSame(one, other)) === index);
}

const isSameObject = (a: Target, b: Target): boolean =>
  a.environment === b.environment && isSameWorkload(a.object, b.object);

const isSameWorkload = (a: WorkloadRef, b: WorkloadRef): boolean =>
  a.kind === b.kind && a.namespace === b.namespace && a.name === b.name;

/**
 * The flag in the environment in which it was switched. Never in another one: switching off what nobody switched on
 * would be an act on an innocent system.
 */
function flagTarget(change: Change, caseFile: CaseFile): Planned {
  const { flag: key, environment } = change;
  if (key === undefined) return blocked(`${nameOfChange(change)} does not say which flag it switched`);
  const states = caseFile.flags.filter((flag) => flag.key === key);
  const known = [...new Set(states.map((one) => one.environment))];
  if (environment === undefined && known.length > 1)
    return blocked(
      `${nameOfChange(change)} does not say in which environment it switched ${key}, and it is in ${known.join(", ")}`,
    );
  const state = states.find((one) => environment === undefined || one.environment === environment);
  if (state === undefined && known.length > 0)
    return blocked(`flag ${key} was switched in ${environment}, and is known in ${known.join(", ")} alone`);
  if (state !== undefined && !state.enabled) return blocked(`flag ${key} is off already: nothing to do`);
  const where = state?.environment ?? environment;
  const target: Target = {
    action: "feature_flag_disable",
    service: change.service,
    changeId: change.id,
    object: change.workload ?? { kind: "Flag", namespace: "", name: key },
    ...(where === undefined ? {} : { environment: where }),
    expected: { version: state?.version ?? change.to, revision: "on" },
    restore: { version: change.from, revision: "off" },
  };
  return { target, notes: [] };
}

/** The schema that a migration moved, back to where it was. No decision of unship's own ever names one. */
function migrationTarget(change: Change): Planned {
  const { id, service, from, to, workload } = change;
  if (workload === undefined) return blocked(`${nameOfChange(change)} does not say which schema it moved`);
  const target: Target = {
    action: "database_migration_rollback",
    service,
    changeId: id,
    object: workload,
    expected: { version: to, revision: "" },
    restore: { version: from, revision: "" },
  };
  return { target, notes: [] };
}

function workloadTarget(change: Change, caseFile: CaseFile, config: Config, options: PlanOptions): Planned {
  const service = config.services[change.service];
  const aborted = abortTarget(change, caseFile, config, options);
  if (aborted !== null) return { target: aborted, notes: [] };
  const application = service?.argocdApplication ?? null;
  const synced = caseFile.rollouts.find(
    ({ workload }) => workload.kind === "Application" && workload.name === (application ?? change.workload?.name),
  );
  if (synced !== undefined && (application !== null || change.workload?.kind === "Application"))
    return applicationTarget(change, synced, caseFile, config, options);
  const rollout = rolloutOf(change, caseFile.rollouts);
  const bad = badVersions(change.service, caseFile.changes, options.pastBad?.get(change.service));
  const provenMs = provenAfterMs(config);
  const base = {
    action: application === null ? ("kubectl_rollout_undo" as const) : ("argocd_sync_to_previous" as const),
    service: change.service,
    changeId: change.id,
    ...(change.environment === undefined ? {} : { environment: change.environment }),
  };
  if (rollout === undefined) {
    const good = knownGoodByChanges(change, caseFile.changes, bad, provenMs);
    if ("obstacle" in good) return noWayBack(good.obstacle);
    const object = objectOf(change, service, application);
    if (object === null)
      return blocked(`no workload of ${change.service} is known: name it under services.${change.service}`);
    const expected = { version: change.to, revision: change.toRevision ?? "" };
    const restore = { version: good.version, revision: good.revision };
    return { target: { ...base, object, expected, restore }, notes: good.skipped };
  }
  const { version, revision } = rollout;
  if (version !== change.to)
    return blocked(
      `${change.service} is at ${version} now, no longer at ${change.to} that ${nameOfChange(change)} brought`,
    );
  if (change.toRevision !== undefined && revision !== change.toRevision)
    return blocked(
      `${change.service} is at revision ${revision} now, no longer at ${change.toRevision} that ${nameOfChange(change)} brought`,
    );
  const good = knownGood(change, rollout, bad, provenMs);
  if ("obstacle" in good) return noWayBack(good.obstacle);
  const object = application === null ? rollout.workload : argoObject(service, application);
  const restore = { version: good.version, revision: good.revision };
  return { target: { ...base, object, expected: { version, revision }, restore }, notes: good.skipped };
}

/**
 * A version on trial beside a good stable one is taken back by ending the trial, where the file allows that: nothing is
 * deployed, and no GitOps controller undoes it. The stable version is good if it has proved itself by its age, or if it serves
 * now and is better, measured side by side. null: there is no such trial.
 */
function abortTarget(change: Change, caseFile: CaseFile, config: Config, options: PlanOptions): Target | null {
  const trial = caseFile.rollouts.find(
    ({ service, workload, version, stable }) =>
      service === change.service && workload.kind === "Rollout" && stable !== undefined && version === change.to,
  );
  if (trial?.stable === undefined || !config.allowedActions.some(({ type }) => type === "rollout_abort")) return null;
  const bad = badVersions(change.service, caseFile.changes, options.pastBad?.get(change.service));
  const good = knownGood(change, trial, bad, provenAfterMs(config));
  const isProven = !("obstacle" in good) && good.revision === trial.stable.revision;
  if (!isProven && !isProvenBeside(change, { ...trial, stable: trial.stable }, bad, caseFile, config)) return null;
  return {
    action: "rollout_abort",
    service: change.service,
    changeId: change.id,
    object: trial.workload,
    ...(change.environment === undefined ? {} : { environment: change.environment }),
    expected: { version: trial.version, revision: trial.revision },
    restore: trial.stable,
  };
}

/**
 * Whether the stable version needs no age: nothing bad is known of it, the trial was read as still running, and the
 * canary test finds the new version worse beside it.
 */
function isProvenBeside(
  change: Change,
  trial: Rollout & { readonly stable: NonNullable<Rollout["stable"]> },
  bad: ReadonlySet<string>,
  caseFile: CaseFile,
  config: Config,
): boolean {
  const { stable, status, revisions } = trial;
  const revision = revisions.find((one) => one.revision === stable.revision && one.version === stable.version);
  if (status === "unknown" || revision === undefined || revision.current) return false;
  if (bad.has(stable.version) || revision.becameReady === false) return false;
  return isStableBetter(change, stable.version, caseFile, config);
}

/**
 * An application goes back by the id of its own history, whatever Kubernetes calls the versions: what a change is of
 * is found there by the id that it brought.
 */
function applicationTarget(
  change: Change,
  synced: Rollout,
  caseFile: CaseFile,
  config: Config,
  options: PlanOptions,
): Planned {
  const { workload: object, version, revision, revisions } = synced;
  const versionAt = (id: string | undefined) => revisions.find((one) => one.revision === id)?.version;
  if (change.workload !== undefined && !isSameWorkload(change.workload, object))
    return blocked(
      `${nameOfChange(change)} was made past Argo CD, which deploys ${change.service} by application ${object.name}: sync that to what it has, or change Git`,
    );
  const brought = versionAt(change.toRevision);
  if (brought === undefined)
    return blocked(`the history of application ${object.name} does not hold what ${nameOfChange(change)} brought`);
  if (brought !== version)
    return blocked(
      `application ${object.name} is at ${version} now, no longer at ${brought} that ${nameOfChange(change)} brought`,
    );
  const inHistory = (one: Change): Change => ({
    ...one,
    from: versionAt(one.fromRevision) ?? one.from,
    to: versionAt(one.toRevision) ?? one.to,
  });
  const own = caseFile.changes.filter((one) => one.workload !== undefined && isSameWorkload(one.workload, object));
  const bad = badVersions(change.service, own.map(inHistory), options.pastBad?.get(change.service));
  const good = knownGood(inHistory(change), synced, bad, provenAfterMs(config));
  if ("obstacle" in good) return noWayBack(good.obstacle);
  const target: Target = {
    action: "argocd_sync_to_previous",
    service: change.service,
    changeId: change.id,
    object,
    ...(change.environment === undefined ? {} : { environment: change.environment }),
    expected: { version, revision },
    restore: { version: good.version, revision: good.revision },
  };
  return { target, notes: good.skipped };
}

function rolloutOf(change: Change, rollouts: readonly Rollout[]): Rollout | undefined {
  const { workload } = change;
  const exact = workload === undefined ? undefined : rollouts.find((one) => isSameWorkload(one.workload, workload));
  return exact ?? rollouts.find((one) => one.service === change.service && one.workload.kind !== "Application");
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
