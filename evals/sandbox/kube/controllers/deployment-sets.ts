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
import { newSetReplicas, wantedReplicas } from "./deployment-replicas.ts";
import { newestAnnotations, REVISION, revisionOf, sizeAnnotations } from "./deployment-revisions.ts";
import { condition, hasDeadline } from "./deployment-status.ts";
import type { EventRecorder } from "./event-recorder.ts";
import { CONTROLLER, CONTROLLER_STATUS } from "./ownership.ts";
import { hashOf, POD_TEMPLATE_HASH, sameTemplate } from "./template-hash.ts";

export interface Sets {
  readonly deployment: Deployment;
  readonly newest: ReplicaSet | undefined;
  readonly olds: readonly ReplicaSet[];
}

/** Writes of a Deployment's controller: its ReplicaSets, and its own status. */
export interface DeploymentSets {
  /**
   * Finds the ReplicaSet of the present template, or makes it where `create` says so, and sees to it that it has the
   * highest revision.
   */
  syncRevision(deployment: Deployment, all: readonly ReplicaSet[], create: boolean): Sets;
  /** Gives a ReplicaSet another size; says whether it had one. */
  resize(deployment: Deployment, set: ReplicaSet, replicas: number): boolean;
  /** Like `resize`, and brings the note of the Deployment's size up to date even where the set keeps its own. */
  resizeAndNote(deployment: Deployment, set: ReplicaSet, replicas: number): void;
  writeStatus(deployment: Deployment, status: DeploymentStatus): Deployment;
}

export function deploymentSets(registry: Registry, events: EventRecorder): DeploymentSets {
  return { syncRevision, resize, resizeAndNote, writeStatus };

  function writeStatus(deployment: Deployment, status: DeploymentStatus): Deployment {
    if (sameJson(status, deployment.status)) return deployment;
    return registry.update("deployments", { ...deployment, status }, CONTROLLER_STATUS) as Deployment;
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

  function resizeAndNote(deployment: Deployment, set: ReplicaSet, replicas: number): void {
    if (resize(deployment, set, replicas)) return;
    const annotations = { ...set.metadata.annotations, ...sizeAnnotations(deployment) };
    registry.update("replicasets", { ...set, metadata: { ...set.metadata, annotations } }, CONTROLLER);
  }

  function noteScaling(deployment: Deployment, { metadata }: ReplicaSet, from: number, to: number): void {
    const message = `Scaled ${to > from ? "up" : "down"} replica set ${metadata.name} from ${from} to ${to}`;
    events.record(deployment, "Normal", "ScalingReplicaSet", message);
  }
}

/** The ReplicaSet of the Deployment's own template; of several the oldest. */
export function newestOf({ spec }: Deployment, all: readonly ReplicaSet[]): ReplicaSet | undefined {
  const born = ({ metadata }: ReplicaSet) => Date.parse(metadata.creationTimestamp ?? "");
  return all.toSorted((a, b) => born(a) - born(b)).find((set) => sameTemplate(set.spec.template, spec.template));
}
