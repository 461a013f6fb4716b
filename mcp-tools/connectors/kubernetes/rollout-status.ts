import type { Rollout } from "../../../core/model/evidence.ts";
import { isRollout, type Workload } from "./history.ts";
import { entryOf, type Inventory, podsOf } from "./inventory.ts";
import type { Pod } from "./objects.ts";
import { type Grace, podHealth, usualReadyMs } from "./pods.ts";

/** Whether every replica runs the current template and is available, and the controller has seen the last write. */
export function isComplete(workload: Workload): boolean {
  const { kind, object, current } = workload;
  const { status, metadata } = object;
  if (status.observedGeneration < metadata.generation || current === null) return false;
  const { desired, updated, available } = replicasOf(workload);
  if (isRollout(object)) {
    const { abort, stableRS, currentPodHash } = object.status;
    return (abort || stableRS === currentPodHash) && available >= desired;
  }
  if (kind === "Deployment") {
    const progressing = status.conditions.find(({ type }) => type === "Progressing");
    // The reason stays after completion, also while a pod is replaced; its message names the ReplicaSet that it means.
    if (progressing?.reason === "NewReplicaSetAvailable" && progressing.message.includes(`"${current.meta.name}"`))
      return true;
    return updated >= desired && status.replicas <= updated && available >= updated;
  }
  if (kind === "StatefulSet" && object.spec.updateStrategy?.type !== "OnDelete") {
    const partition = object.spec.updateStrategy?.rollingUpdate?.partition ?? 0;
    return updated >= desired - partition && available >= desired;
  }
  return updated >= desired && available >= desired;
}

/** How far the rollout of the current template is. `graceMs`: start-up grace of a pod where nothing tells it. */
export function rolloutStatus(
  workload: Workload,
  inventory: Pick<Inventory, "pods">,
  now: number,
  graceMs: number,
): Rollout["status"] {
  const { kind, object, current } = workload;
  if ((kind === "Deployment" || kind === "Rollout") && object.spec.paused) return "paused";
  if (isRollout(object) && object.status.abort) return isComplete(workload) ? "complete" : "progressing";
  if (isRollout(object) && object.status.phase === "Paused") return "paused";
  const progressing = object.status.conditions.find(({ type }) => type === "Progressing");
  if (kind === "Deployment" && progressing?.reason === "ProgressDeadlineExceeded") return "stuck";
  const pods = podsOf(inventory, workload);
  const grace = graceOf(workload, pods, graceMs);
  const health = pods
    .filter((pod) => current !== null && entryOf(workload, pod) === current)
    .map((pod) => podHealth(pod, now, grace))
    .filter((one) => one !== "not-counted");
  if (health.length > 0 && health.every((one) => one === "failing")) return "stuck";
  return isComplete(workload) ? "complete" : "progressing";
}

/** The start-up grace of a workload's pods; `leastMs` where nothing tells it. */
export function graceOf({ object }: Workload, pods: readonly Pod[], leastMs: number): Grace {
  const progressing = object.status.conditions.find(({ type }) => type === "Progressing");
  return { leastMs, usualMs: usualReadyMs(pods), over: progressing?.reason === "ProgressDeadlineExceeded" };
}

/** A DaemonSet counts nodes where the others count replicas. */
export function replicasOf({ kind, object }: Workload): Rollout["replicas"] {
  const { spec, status } = object;
  if (kind === "DaemonSet")
    return {
      desired: status.desiredNumberScheduled,
      updated: status.updatedNumberScheduled,
      ready: status.numberReady,
      available: status.numberAvailable,
    };
  return {
    desired: spec.replicas,
    updated: status.updatedReplicas,
    ready: status.readyReplicas,
    // Older API servers leave a StatefulSet's availableReplicas out.
    available:
      kind === "StatefulSet" ? Math.max(status.availableReplicas, status.readyReplicas) : status.availableReplicas,
  };
}
