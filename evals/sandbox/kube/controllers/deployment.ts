import { controllerOf, type Deployment, type DeploymentStatus, namespaceOf, type ReplicaSet } from "../objects.ts";
import type { Registry } from "../registry.ts";
import type { StoreEvent } from "../store.ts";
import { conditionOf, withCondition } from "./conditions.ts";
import {
  newSetReplicas,
  oldSetResizes,
  proportionalResizes,
  totalReplicas,
  wantedReplicas,
} from "./deployment-replicas.ts";
import { DESIRED_REPLICAS, MAX_REPLICAS, revisionOf } from "./deployment-revisions.ts";
import { deploymentSets, newestOf, type Sets } from "./deployment-sets.ts";
import {
  condition,
  countedStatus,
  hasDeadline,
  isComplete,
  msUntilOverdue,
  withProgress,
} from "./deployment-status.ts";
import type { EventRecorder } from "./event-recorder.ts";
import type { Controller } from "./loop.ts";
import { claimed, objectOf, ownOrControlled } from "./ownership.ts";

/**
 * Rolls a Deployment out over its ReplicaSets, as the real controller does step by step: each look changes at most
 * one thing, and what follows from it brings the next look.
 *
 * @see https://kubernetes.io/docs/concepts/workloads/controllers/deployment/
 * @see https://github.com/kubernetes/kubernetes/tree/v1.32.0/pkg/controller/deployment
 */
export function deploymentController(registry: Registry, events: EventRecorder): Controller {
  const { syncRevision, resize, resizeAndNote, writeStatus } = deploymentSets(registry, events);
  const ownKeys = ownOrControlled("deployments", "Deployment", ["replicasets"]);

  return {
    name: "deployment",
    keysOf: (event) => [...ownKeys(event), ...keysOfEndedPod(event)],
    reconcile(key) {
      const found = objectOf(registry, "deployments", key);
      if (found === undefined) return undefined;
      const all = () => claimed(registry, "replicasets", found, found.spec.selector);
      if (found.metadata.deletionTimestamp !== undefined) {
        writeStatus(found, countedStatus(found, all(), newestOf(found, all()), registry.now()));
        return undefined;
      }
      const deployment = notePause(found);
      if (deployment.spec.paused === true || isScaling(deployment, all())) {
        const sets = syncRevision(deployment, all(), false);
        scaleInProportion(sets);
        if (deployment.spec.paused === true) cleanUp(sets);
        writeStatus(sets.deployment, counted(sets));
        return undefined;
      }
      return deployment.spec.strategy?.type === "Recreate" ? recreate(deployment, all()) : roll(deployment, all());
    },
  };

  /** Recreate waits for the last old pod to have ended, which no ReplicaSet's status tells. */
  function keysOfEndedPod({ plural, type, object }: StoreEvent): readonly string[] {
    if (plural !== "pods" || type !== "DELETED") return [];
    const set = registry.get("replicasets", namespaceOf(object), controllerOf(object)?.name ?? "");
    const owner = set === undefined ? undefined : controllerOf(set);
    return owner?.kind === "Deployment" ? [`${namespaceOf(object)}/${owner.name}`] : [];
  }

  function roll(deployment: Deployment, all: readonly ReplicaSet[]): number | undefined {
    const sets = syncRevision(deployment, all, true);
    const { newest, olds } = sets;
    if (newest === undefined) return undefined;
    const wanted = wantedReplicas(sets.deployment);
    const size =
      wantedReplicas(newest) > wanted
        ? wanted
        : newSetReplicas(sets.deployment, [...olds, newest], wantedReplicas(newest));
    if (resize(sets.deployment, newest, size)) return finish(sets);
    const resizes = oldSetResizes(sets.deployment, olds, newest);
    for (const { set, replicas } of resizes) resize(sets.deployment, set, replicas);
    if (resizes.length === 0 && isComplete(sets.deployment, sets.deployment.status ?? {})) cleanUp(sets);
    return finish(sets);
  }

  function recreate(deployment: Deployment, all: readonly ReplicaSet[]): number | undefined {
    const before = syncRevision(deployment, all, false);
    const scaledDown = before.olds.filter((set) => resize(before.deployment, set, 0));
    const running = before.olds.some(({ status }) => (status?.replicas ?? 0) > 0) || hasOldPods(before);
    if (scaledDown.length > 0 || running) return finish(before);
    const sets = before.newest === undefined ? syncRevision(before.deployment, all, true) : before;
    if (sets.newest !== undefined) resize(sets.deployment, sets.newest, wantedReplicas(sets.deployment));
    if (isComplete(sets.deployment, sets.deployment.status ?? {})) cleanUp(sets);
    return finish(sets);
  }

  /** Pods of an old template that have not ended, those that are still ending included. */
  function hasOldPods({ deployment, olds }: Sets): boolean {
    const uids = olds.map(({ metadata }) => metadata.uid);
    return registry
      .list("pods", namespaceOf(deployment))
      .some(({ metadata }) => metadata.ownerReferences?.some(({ uid }) => uids.includes(uid)) === true);
  }

  /** Writes the status with its progress; says when the deadline must be looked at. */
  function finish(sets: Sets): number | undefined {
    const now = registry.now();
    const fresh = refreshed(sets);
    const status = withProgress(fresh.deployment, counted(fresh), fresh.newest, now);
    writeStatus(fresh.deployment, status);
    return msUntilOverdue(fresh.deployment, status, now);
  }

  function counted({ deployment, newest, olds }: Sets): DeploymentStatus {
    return countedStatus(deployment, newest === undefined ? olds : [...olds, newest], newest, registry.now());
  }

  /** The same sets as they are stored by now. */
  function refreshed({ deployment, newest, olds }: Sets): Sets {
    const again = (set: ReplicaSet) => registry.get("replicasets", namespaceOf(set), set.metadata.name) ?? set;
    return { deployment, newest: newest === undefined ? undefined : again(newest), olds: olds.map(again) };
  }

  function notePause(deployment: Deployment): Deployment {
    const conditions = deployment.status?.conditions ?? [];
    const current = conditionOf(conditions, "Progressing");
    if (!hasDeadline(deployment) || current?.reason === "ProgressDeadlineExceeded") return deployment;
    const noted = current?.reason === "DeploymentPaused";
    const paused = deployment.spec.paused === true;
    if (paused === noted) return deployment;
    const next = paused
      ? condition("Progressing", "Unknown", "DeploymentPaused", "Deployment is paused", registry.now())
      : condition("Progressing", "Unknown", "DeploymentResumed", "Deployment is resumed", registry.now());
    return writeStatus(deployment, { ...deployment.status, conditions: withCondition(conditions, next) });
  }

  /** Follows a change of the Deployment's own replicas, without going on with a rollout. */
  function scaleInProportion({ deployment, newest, olds }: Sets): void {
    const wanted = wantedReplicas(deployment);
    const all = newest === undefined ? olds : [...olds, newest];
    const active = all.filter((set) => wantedReplicas(set) > 0);
    const only =
      active.length === 0
        ? (newest ?? all.toSorted((a, b) => revisionOf(b) - revisionOf(a))[0])
        : active.length === 1
          ? active[0]
          : undefined;
    if (only !== undefined) {
      resizeAndNote(deployment, only, wanted);
      return;
    }
    if (newest !== undefined && isSaturated(newest, wanted)) {
      for (const set of olds) resize(deployment, set, 0);
    } else if (deployment.spec.strategy?.type !== "Recreate") {
      const sizeBefore = (set: ReplicaSet) => Number(set.metadata.annotations?.[MAX_REPLICAS] ?? totalReplicas(all));
      for (const { set, replicas } of proportionalResizes(deployment, all, sizeBefore))
        resizeAndNote(deployment, set, replicas);
    }
  }

  function cleanUp({ deployment, olds }: Sets): void {
    const limit = deployment.spec.revisionHistoryLimit;
    if (limit === undefined) return;
    const alive = olds.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
    const excess = alive.toSorted((a, b) => revisionOf(a) - revisionOf(b)).slice(0, Math.max(0, alive.length - limit));
    for (const set of excess) {
      const { generation = 0, name } = set.metadata;
      const busy = wantedReplicas(set) > 0 || (set.status?.replicas ?? 0) > 0;
      if (!busy && generation <= (set.status?.observedGeneration ?? 0))
        registry.remove("replicasets", namespaceOf(set), name);
    }
  }
}

function isSaturated(newest: ReplicaSet, wanted: number): boolean {
  return (
    wantedReplicas(newest) === wanted &&
    Number(newest.metadata.annotations?.[DESIRED_REPLICAS] ?? Number.NaN) === wanted &&
    (newest.status?.availableReplicas ?? 0) === wanted
  );
}

function isScaling(deployment: Deployment, all: readonly ReplicaSet[]): boolean {
  return all
    .filter((set) => wantedReplicas(set) > 0)
    .some(({ metadata }) => {
      const noted = metadata.annotations?.[DESIRED_REPLICAS];
      return noted !== undefined && Number(noted) !== wantedReplicas(deployment);
    });
}
