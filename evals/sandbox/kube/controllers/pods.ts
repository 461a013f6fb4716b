import {
  controllerReference,
  type KubeObject,
  type Labels,
  namespaceOf,
  type Pod,
  type PodTemplate,
} from "../objects.ts";
import type { Registry } from "../registry.ts";
import { conditionOf } from "./conditions.ts";
import type { EventRecorder } from "./event-recorder.ts";
import { CONTROLLER } from "./ownership.ts";

/** Neither ended nor being deleted. */
export function isActive({ metadata, status }: Pod): boolean {
  return status?.phase !== "Succeeded" && status?.phase !== "Failed" && metadata.deletionTimestamp === undefined;
}

export function isReady({ status }: Pod): boolean {
  return conditionOf(status?.conditions, "Ready")?.status === "True";
}

/** Ms until a ready pod has been so for `minReadySeconds`: 0 once it is available, undefined while it is not ready. */
export function msUntilAvailable(pod: Pod, minReadySeconds: number, nowMs: number): number | undefined {
  const ready = conditionOf(pod.status?.conditions, "Ready");
  if (ready?.status !== "True") return undefined;
  return Math.max(0, Date.parse(ready.lastTransitionTime ?? "") + minReadySeconds * 1000 - nowMs);
}

export function isAvailable(pod: Pod, minReadySeconds: number, nowMs: number): boolean {
  return msUntilAvailable(pod, minReadySeconds, nowMs) === 0;
}

/** Ms until the next of these pods becomes available by the passing of time alone. */
export function nextAvailableMs(pods: readonly Pod[], minReadySeconds: number, nowMs: number): number | undefined {
  const waits = pods.map((pod) => msUntilAvailable(pod, minReadySeconds, nowMs) ?? 0).filter((wait) => wait > 0);
  return waits.length === 0 ? undefined : Math.min(...waits);
}

/** Pods in the order in which a controller takes them away: not ready first, then the youngest. */
export function inOrderOfRemoval(pods: readonly Pod[]): readonly Pod[] {
  const born = ({ metadata }: Pod) => Date.parse(metadata.creationTimestamp ?? "");
  const pending = ({ status }: Pod) => (status?.phase === "Pending" ? 0 : 1);
  const ready = (pod: Pod) => (isReady(pod) ? 1 : 0);
  return pods.toSorted((a, b) => pending(a) - pending(b) || ready(a) - ready(b) || born(b) - born(a));
}

export interface PodNaming {
  readonly name?: string;
  readonly labels?: Labels;
}

/** Makes one pod from a workload's template and notes it on the workload. */
export function createPod(
  registry: Registry,
  events: EventRecorder,
  owner: KubeObject,
  template: PodTemplate,
  naming: PodNaming = {},
): void {
  const { labels, annotations } = template.metadata ?? {};
  const created = registry.create(
    "pods",
    {
      apiVersion: "v1",
      kind: "Pod",
      metadata: {
        ...(naming.name === undefined ? { generateName: `${owner.metadata.name}-` } : { name: naming.name }),
        namespace: namespaceOf(owner),
        labels: { ...labels, ...naming.labels },
        ...(annotations === undefined ? {} : { annotations }),
        ownerReferences: [controllerReference(owner)],
      } as KubeObject["metadata"],
      spec: template.spec,
    },
    CONTROLLER,
  );
  const message =
    owner.kind === "StatefulSet"
      ? `create Pod ${created.metadata.name} in StatefulSet ${owner.metadata.name} successful`
      : `Created pod: ${created.metadata.name}`;
  events.record(owner, "Normal", "SuccessfulCreate", message);
}

/** Asks for a pod's end and notes it on the workload; nothing happens to one that is already ending. */
export function deletePod(registry: Registry, events: EventRecorder, owner: KubeObject, pod: Pod): void {
  if (pod.metadata.deletionTimestamp !== undefined) return;
  registry.remove("pods", namespaceOf(pod), pod.metadata.name);
  const message =
    owner.kind === "StatefulSet"
      ? `delete Pod ${pod.metadata.name} in StatefulSet ${owner.metadata.name} successful`
      : `Deleted pod: ${pod.metadata.name}`;
  events.record(owner, "Normal", "SuccessfulDelete", message);
}
