import { ApiError } from "../api-error.ts";
import { sameJson } from "../json.ts";
import {
  controllerReference,
  type Deployment,
  type DeploymentStatus,
  namespaceOf,
  type PodTemplate,
  type ReplicaSet,
} from "../objects.ts";
import type { Registry } from "../registry.ts";
import { conditionOf, withCondition } from "./conditions.ts";
import {
  newSetReplicas,
  oldSetResizes,
  proportionalResizes,
  totalReplicas,
  wantedReplicas,
} from "./deployment-replicas.ts";
import {
  DESIRED_REPLICAS,
  MAX_REPLICAS,
  newestAnnotations,
  REVISION,
  revisionOf,
  sizeAnnotations,
} from "./deployment-revisions.ts";
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
import { CONTROLLER, CONTROLLER_STATUS, claimed, objectOf, ownOrControlled } from "./ownership.ts";
import { hashOf, POD_TEMPLATE_HASH, sameTemplate } from "./template-hash.ts";

interface Sets {
  readonly deployment: Deployment;
  readonly newest: ReplicaSet | undefined;
  readonly olds: readonly ReplicaSet[];
}

/**
 * Rolls a Deployment out over its ReplicaSets, as the real controller does step by step: each look changes at most
 * one thing, and what follows from it brings the next look.
 *
 * @see https://kubernetes.io/docs/concepts/workloads/controllers/deployment/
 * @see https://github.com/kubernetes/kubernetes/tree/v1.32.0/pkg/controller/deployment
 */
export function deploymentController(registry: Registry, events: EventRecorder): Controller {
  return {
    name: "deployment",
    keysOf: ownOrControlled("deployments", "Deployment", ["replicasets"]),
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

  function writeStatus(deployment: Deployment, status: DeploymentStatus): Deployment {
    if (sameJson(status, deployment.status)) return deployment;
    return registry.update("deployments", { ...deployment, status }, CONTROLLER_STATUS) as Deployment;
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

  function syncRevision(deployment: Deployment, all: readonly ReplicaSet[], create: boolean): Sets {
    const existing = newestOf(deployment, all);
    const olds = all.filter((set) => set !== existing);
    const revision = Math.max(0, ...olds.map(revisionOf)) + 1;
    if (existing === undefined) {
      if (!create) return { deployment, newest: undefined, olds };
      const created = createSet(deployment, olds, revision);
      return created === undefined
        ? { deployment, newest: undefined, olds }
        : { deployment: withRevision(deployment, created, "NewReplicaSetCreated"), newest: created, olds };
    }
    const annotations = newestAnnotations(deployment, revision, existing);
    const minReadySeconds = deployment.spec.minReadySeconds ?? 0;
    const spec = { ...existing.spec, ...(minReadySeconds === 0 ? {} : { minReadySeconds }) };
    const updated = { ...existing, spec, metadata: { ...existing.metadata, annotations } };
    const newest = registry.update("replicasets", updated, CONTROLLER) as ReplicaSet;
    return { deployment: withRevision(deployment, newest, "FoundNewReplicaSet"), newest, olds };
  }

  /** The Deployment with its newest ReplicaSet's revision, and the condition that says where that set came from. */
  function withRevision(deployment: Deployment, newest: ReplicaSet, reason: string): Deployment {
    const revision = newest.metadata.annotations?.[REVISION] ?? "";
    const conditions = deployment.status?.conditions ?? [];
    const isNew = reason === "NewReplicaSetCreated";
    const noted = !hasDeadline(deployment) || (!isNew && conditionOf(conditions, "Progressing") !== undefined);
    if (deployment.metadata.annotations?.[REVISION] === revision && noted) return deployment;
    const told = isNew ? "Created new" : "Found new";
    const next = condition(
      "Progressing",
      "True",
      reason,
      `${told} replica set "${newest.metadata.name}"`,
      registry.now(),
    );
    return registry.update(
      "deployments",
      {
        ...deployment,
        metadata: { ...deployment.metadata, annotations: { ...deployment.metadata.annotations, [REVISION]: revision } },
        status: { ...deployment.status, conditions: noted ? conditions : withCondition(conditions, next) },
      },
      CONTROLLER_STATUS,
    ) as Deployment;
  }

  function createSet(deployment: Deployment, olds: readonly ReplicaSet[], revision: number): ReplicaSet | undefined {
    const { name } = deployment.metadata;
    const { template, selector, minReadySeconds } = deployment.spec;
    const hash = hashOf(template, deployment.status?.collisionCount);
    const labels = { ...template.metadata?.labels, [POD_TEMPLATE_HASH]: hash };
    const labelled: PodTemplate = { ...template, metadata: { ...template.metadata, labels } };
    const replicas = newSetReplicas(deployment, olds, 0);
    try {
      const created = registry.create(
        "replicasets",
        {
          apiVersion: "apps/v1",
          kind: "ReplicaSet",
          metadata: {
            name: `${name}-${hash}`,
            namespace: namespaceOf(deployment),
            labels,
            annotations: newestAnnotations(deployment, revision),
            ownerReferences: [controllerReference(deployment)],
          },
          spec: {
            replicas,
            ...(minReadySeconds === undefined ? {} : { minReadySeconds }),
            selector: { ...selector, matchLabels: { ...selector.matchLabels, [POD_TEMPLATE_HASH]: hash } },
            template: labelled,
          },
        },
        CONTROLLER,
      );
      if (replicas > 0) noteScaling(deployment, created as ReplicaSet, 0, replicas);
      return created as ReplicaSet;
    } catch (error) {
      if (!(error instanceof ApiError) || error.reason !== "AlreadyExists") throw error;
      // Another template has this name: the next look hashes with a higher count.
      const collisionCount = (deployment.status?.collisionCount ?? 0) + 1;
      writeStatus(deployment, { ...deployment.status, collisionCount });
      return undefined;
    }
  }

  function resize(deployment: Deployment, set: ReplicaSet, replicas: number): boolean {
    const before = wantedReplicas(set);
    if (before === replicas) return false;
    const annotations = { ...set.metadata.annotations, ...sizeAnnotations(deployment) };
    const next = { ...set, metadata: { ...set.metadata, annotations }, spec: { ...set.spec, replicas } };
    registry.update("replicasets", next, CONTROLLER);
    noteScaling(deployment, set, before, replicas);
    return true;
  }

  function noteScaling(deployment: Deployment, { metadata }: ReplicaSet, from: number, to: number): void {
    const message = `Scaled ${to > from ? "up" : "down"} replica set ${metadata.name} from ${from} to ${to}`;
    events.record(deployment, "Normal", "ScalingReplicaSet", message);
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

  /** Like `resize`, and brings the note of the Deployment's size up to date even where the set keeps its own. */
  function resizeAndNote(deployment: Deployment, set: ReplicaSet, replicas: number): void {
    if (resize(deployment, set, replicas)) return;
    const annotations = { ...set.metadata.annotations, ...sizeAnnotations(deployment) };
    registry.update("replicasets", { ...set, metadata: { ...set.metadata, annotations } }, CONTROLLER);
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

/** The ReplicaSet of the Deployment's own template; of several the oldest. */
function newestOf({ spec }: Deployment, all: readonly ReplicaSet[]): ReplicaSet | undefined {
  const born = ({ metadata }: ReplicaSet) => Date.parse(metadata.creationTimestamp ?? "");
  return all.toSorted((a, b) => born(a) - born(b)).find((set) => sameTemplate(set.spec.template, spec.template));
}

function isScaling(deployment: Deployment, all: readonly ReplicaSet[]): boolean {
  return all
    .filter((set) => wantedReplicas(set) > 0)
    .some(({ metadata }) => {
      const noted = metadata.annotations?.[DESIRED_REPLICAS];
      return noted !== undefined && Number(noted) !== wantedReplicas(deployment);
    });
}
