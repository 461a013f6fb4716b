import { UnshipError } from "../../../core/errors.ts";
import type { KubeClient } from "./client.ts";
import { controllerHistory, replicaSetHistory, type Workload } from "./history.ts";
import { ControllerRevision, KubeEvent, Pod, ReplicaSet, RolloutObject, WorkloadObject } from "./objects.ts";

/** What runs in some namespaces, read in one go: each kind once a namespace, whatever the number of workloads. */
export interface Inventory {
  readonly workloads: readonly Workload[];
  readonly pods: readonly Pod[];
  /** The Deployment controller's own account of what it scaled; kept by clusters for about an hour. */
  readonly events: readonly KubeEvent[];
  /** Events were asked for, and the credentials may not read them in some of the namespaces. */
  readonly eventsRefused: boolean;
}

/**
 * `namespaces` ["*"]: all of them, for which the credentials must be allowed. Events are read only where asked for.
 * Throws as the client does.
 */
export async function readInventory(
  client: KubeClient,
  namespaces: readonly string[],
  abort: AbortSignal,
  { events = false }: { readonly events?: boolean } = {},
): Promise<Inventory> {
  const parts = await Promise.all(namespaces.map((namespace) => readNamespace(client, namespace, events, abort)));
  return {
    workloads: parts.flatMap(({ workloads }) => workloads),
    pods: parts.flatMap(({ pods }) => pods),
    events: parts.flatMap(({ events }) => events),
    eventsRefused: parts.some(({ eventsRefused }) => eventsRefused),
  };
}

async function readNamespace(
  client: KubeClient,
  namespace: string,
  withEvents: boolean,
  abort: AbortSignal,
): Promise<Inventory> {
  const [deployments, statefulSets, daemonSets, rollouts, replicaSets, revisions, pods, events] = await Promise.all([
    client.list("Deployment", namespace, WorkloadObject, abort),
    client.list("StatefulSet", namespace, WorkloadObject, abort),
    client.list("DaemonSet", namespace, WorkloadObject, abort),
    readRollouts(client, namespace, abort),
    client.list("ReplicaSet", namespace, ReplicaSet, abort),
    client.list("ControllerRevision", namespace, ControllerRevision, abort),
    client.list("Pod", namespace, Pod, abort),
    withEvents ? readEvents(client, namespace, abort) : [],
  ]);
  return {
    workloads: [
      ...deployments.map((one) => replicaSetHistory("Deployment", one, replicaSets)),
      ...rollouts.map((one) => replicaSetHistory("Rollout", one, replicaSets)),
      ...statefulSets.map((one) => controllerHistory("StatefulSet", one, revisions)),
      ...daemonSets.map((one) => controllerHistory("DaemonSet", one, revisions)),
    ],
    pods,
    events: events ?? [],
    eventsRefused: events === null,
  };
}

/**
 * Most clusters have no Argo Rollouts: its kind is not found there, and credentials that were made without it in mind may
 * not ask. Neither is a reason to see nothing else.
 */
async function readRollouts(
  client: KubeClient,
  namespace: string,
  abort: AbortSignal,
): Promise<readonly RolloutObject[]> {
  try {
    return await client.list("Rollout", namespace, RolloutObject, abort);
  } catch (error) {
    if (error instanceof UnshipError && (error.code === "source.refused" || error.code === "source.not_found"))
      return [];
    throw error;
  }
}

/** Events only sharpen a start time, so credentials that may not read them are no reason to see nothing: null. */
async function readEvents(
  client: KubeClient,
  namespace: string,
  abort: AbortSignal,
): Promise<readonly KubeEvent[] | null> {
  try {
    return await client.list("Event", namespace, KubeEvent, abort, { fields: "reason=ScalingReplicaSet" });
  } catch (error) {
    if (error instanceof UnshipError && (error.code === "source.refused" || error.code === "source.not_found"))
      return null;
    throw error;
  }
}

/** The pods of one revision of a workload: those whose controller, and label for it, are the revision's. */
export function podsOf(inventory: Pick<Inventory, "pods">, workload: Workload): readonly Pod[] {
  const { kind, object, history } = workload;
  const owners = new Set(
    kind === "Deployment" || kind === "Rollout" ? history.map(({ meta }) => meta.uid) : [object.metadata.uid],
  );
  return inventory.pods.filter(({ metadata }) =>
    metadata.ownerReferences.some(({ controller, uid }) => controller && owners.has(uid)),
  );
}

/** The entry of its workload's history from which a pod was made; undefined where that is gone. */
export function entryOf(workload: Workload, pod: Pod) {
  if (workload.kind === "Deployment" || workload.kind === "Rollout")
    return workload.history.find(({ meta }) => pod.metadata.ownerReferences.some(({ uid }) => uid === meta.uid));
  const hash = pod.metadata.labels["controller-revision-hash"];
  // A StatefulSet's pods carry the ControllerRevision's name, a DaemonSet's the hash at its end.
  return workload.history.find(
    ({ meta }) => meta.name === hash || meta.name === `${workload.object.metadata.name}-${hash}`,
  );
}
