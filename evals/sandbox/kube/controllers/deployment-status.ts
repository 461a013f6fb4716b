import type { Condition, Deployment, DeploymentStatus, ReplicaSet } from "../objects.ts";
import { toTimestamp } from "../registry.ts";
import { conditionOf, withCondition, withoutCondition } from "./conditions.ts";
import { rollingLimits, totalReplicas, wantedReplicas } from "./deployment-replicas.ts";
import { positive } from "./replica-set.ts";

/** A condition as of now. */
export function condition(
  type: string,
  status: Condition["status"],
  reason: string,
  message: string,
  nowMs: number,
): Condition {
  const time = toTimestamp(nowMs);
  return { type, status, lastUpdateTime: time, lastTransitionTime: time, reason, message };
}

/** Counts over all ReplicaSets, and whether enough pods are available. */
export function countedStatus(
  deployment: Deployment,
  all: readonly ReplicaSet[],
  newest: ReplicaSet | undefined,
  nowMs: number,
): DeploymentStatus {
  const sum = (of: (set: ReplicaSet) => number | undefined) => all.reduce((total, set) => total + (of(set) ?? 0), 0);
  const available = sum(({ status }) => status?.availableReplicas);
  const { collisionCount, conditions = [] } = deployment.status ?? {};
  const enough = available >= wantedReplicas(deployment) - rollingLimits(deployment).maxUnavailable;
  return {
    ...positive("observedGeneration", deployment.metadata.generation ?? 0),
    ...positive(
      "replicas",
      sum(({ status }) => status?.replicas),
    ),
    ...positive("updatedReplicas", newest?.status?.replicas ?? 0),
    ...positive(
      "readyReplicas",
      sum(({ status }) => status?.readyReplicas),
    ),
    ...positive("availableReplicas", available),
    ...positive("unavailableReplicas", Math.max(0, totalReplicas(all) - available)),
    ...(collisionCount === undefined ? {} : { collisionCount }),
    conditions: withCondition(
      conditions,
      enough
        ? condition("Available", "True", "MinimumReplicasAvailable", "Deployment has minimum availability.", nowMs)
        : condition(
            "Available",
            "False",
            "MinimumReplicasUnavailable",
            "Deployment does not have minimum availability.",
            nowMs,
          ),
    ),
  };
}

/** All pods are of the newest template, available, and none is left over. */
export function isComplete(deployment: Deployment, status: DeploymentStatus): boolean {
  const wanted = wantedReplicas(deployment);
  const { updatedReplicas = 0, replicas = 0, availableReplicas = 0, observedGeneration = 0 } = status;
  return (
    updatedReplicas === wanted &&
    replicas === wanted &&
    availableReplicas === wanted &&
    observedGeneration >= (deployment.metadata.generation ?? 0)
  );
}

export function hasDeadline({ spec }: Deployment): boolean {
  return spec.progressDeadlineSeconds !== undefined && spec.progressDeadlineSeconds !== 2 ** 31 - 1;
}

/**
 * The status with its `Progressing` condition: complete, moving, or past the deadline.
 *
 * @see https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#deployment-status
 */
export function withProgress(
  deployment: Deployment,
  counted: DeploymentStatus,
  newest: ReplicaSet | undefined,
  nowMs: number,
): DeploymentStatus {
  const conditions = counted.conditions ?? [];
  if (!hasDeadline(deployment)) return { ...counted, conditions: withoutCondition(conditions, "Progressing") };
  const current = conditionOf(deployment.status?.conditions, "Progressing");
  const settled =
    (counted.replicas ?? 0) === (counted.updatedReplicas ?? 0) && current?.reason === "NewReplicaSetAvailable";
  if (settled) return counted;
  const subject =
    newest === undefined ? `Deployment "${deployment.metadata.name}"` : `ReplicaSet "${newest.metadata.name}"`;
  if (isComplete(deployment, counted)) {
    const message = `${subject} has successfully progressed.`;
    return {
      ...counted,
      conditions: withCondition(conditions, condition("Progressing", "True", "NewReplicaSetAvailable", message, nowMs)),
    };
  }
  if (isMoving(deployment.status ?? {}, counted)) {
    const next = condition("Progressing", "True", "ReplicaSetUpdated", `${subject} is progressing.`, nowMs);
    const kept = current?.status === "True" ? { lastTransitionTime: current.lastTransitionTime ?? null } : {};
    return { ...counted, conditions: [...withoutCondition(conditions, "Progressing"), { ...next, ...kept }] };
  }
  if (isOverdue(deployment, counted, nowMs)) {
    const message = `${subject} has timed out progressing.`;
    return {
      ...counted,
      conditions: withCondition(
        conditions,
        condition("Progressing", "False", "ProgressDeadlineExceeded", message, nowMs),
      ),
    };
  }
  return counted;
}

function isMoving(before: DeploymentStatus, after: DeploymentStatus): boolean {
  const old = ({ replicas = 0, updatedReplicas = 0 }: DeploymentStatus) => replicas - updatedReplicas;
  return (
    (after.updatedReplicas ?? 0) > (before.updatedReplicas ?? 0) ||
    old(after) < old(before) ||
    (after.readyReplicas ?? 0) > (before.readyReplicas ?? 0) ||
    (after.availableReplicas ?? 0) > (before.availableReplicas ?? 0)
  );
}

function isOverdue(deployment: Deployment, status: DeploymentStatus, nowMs: number): boolean {
  const current = conditionOf(status.conditions, "Progressing");
  if (current === undefined || current.reason === "NewReplicaSetAvailable") return false;
  return current.reason === "ProgressDeadlineExceeded" || deadlineMs(deployment, current) < nowMs;
}

const deadlineMs = ({ spec }: Deployment, { lastUpdateTime = "" }: Condition): number =>
  Date.parse(lastUpdateTime) + (spec.progressDeadlineSeconds ?? 600) * 1000;

/** Ms until a rollout that does not move must be called overdue; undefined where none can become so. */
export function msUntilOverdue(deployment: Deployment, status: DeploymentStatus, nowMs: number): number | undefined {
  const current = conditionOf(status.conditions, "Progressing");
  const over =
    current === undefined || ["NewReplicaSetAvailable", "ProgressDeadlineExceeded"].includes(current.reason ?? "");
  if (!hasDeadline(deployment) || over || isComplete(deployment, status)) return undefined;
  return Math.max(0, deadlineMs(deployment, current) - nowMs) + 10;
}
