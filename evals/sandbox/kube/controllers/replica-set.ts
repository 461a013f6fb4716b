import type { Pod, ReplicaSet, ReplicaSetStatus } from "../objects.ts";
import type { Registry } from "../registry.ts";
import { selects } from "../selectors.ts";
import type { EventRecorder } from "./event-recorder.ts";
import type { Controller } from "./loop.ts";
import { CONTROLLER_STATUS, claimed, objectOf, ownOrControlled } from "./ownership.ts";
import { createPod, deletePod, inOrderOfRemoval, isActive, isAvailable, isReady, nextAvailableMs } from "./pods.ts";

/** Keeps a ReplicaSet's number of pods. @see https://kubernetes.io/docs/concepts/workloads/controllers/replicaset/ */
export function replicaSetController(registry: Registry, events: EventRecorder): Controller {
  return {
    name: "replicaset",
    keysOf: ownOrControlled("replicasets", "ReplicaSet", ["pods"]),
    reconcile(key) {
      const set = objectOf(registry, "replicasets", key);
      if (set === undefined) return undefined;
      const pods = claimed(registry, "pods", set, set.spec.selector).filter(isActive);
      if (set.metadata.deletionTimestamp === undefined) scale(set, pods);
      writeStatus(set, pods);
      return nextAvailableMs(pods, set.spec.minReadySeconds ?? 0, registry.now());
    },
  };

  function scale(set: ReplicaSet, pods: readonly Pod[]): void {
    const missing = (set.spec.replicas ?? 1) - pods.length;
    for (let made = 0; made < missing; made += 1) createPod(registry, events, set, set.spec.template);
    for (const pod of inOrderOfRemoval(pods).slice(0, Math.max(0, -missing))) deletePod(registry, events, set, pod);
  }

  function writeStatus(set: ReplicaSet, pods: readonly Pod[]): void {
    const now = registry.now();
    const labels = { matchLabels: set.spec.template.metadata?.labels ?? {} };
    const count = (test: (pod: Pod) => boolean) => pods.filter(test).length;
    const status: ReplicaSetStatus = {
      replicas: pods.length,
      ...positive(
        "fullyLabeledReplicas",
        count(({ metadata }) => selects(labels, metadata.labels)),
      ),
      ...positive("readyReplicas", count(isReady)),
      ...positive(
        "availableReplicas",
        count((pod) => isAvailable(pod, set.spec.minReadySeconds ?? 0, now)),
      ),
      ...positive("observedGeneration", set.metadata.generation ?? 0),
    };
    registry.update("replicasets", { ...set, status }, CONTROLLER_STATUS);
  }
}

/** The field, or nothing where it is 0: the API leaves zeroes out. */
export function positive<K extends string>(field: K, value: number): { readonly [P in K]?: number } {
  return value === 0 ? {} : ({ [field]: value } as { readonly [P in K]?: number });
}
