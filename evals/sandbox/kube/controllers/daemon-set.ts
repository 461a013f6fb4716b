import type { JsonObject } from "../json.ts";
import type { DaemonSet, Pod } from "../objects.ts";
import type { Registry } from "../registry.ts";
import { selects } from "../selectors.ts";
import { resolved } from "./deployment-replicas.ts";
import type { EventRecorder } from "./event-recorder.ts";
import type { Controller } from "./loop.ts";
import { CONTROLLER_STATUS, claimed, objectOf, ownOrControlled } from "./ownership.ts";
import { createPod, deletePod, isAvailable, isReady, nextAvailableMs } from "./pods.ts";
import { positive } from "./replica-set.ts";
import { REVISION_HASH, syncRevisions, truncate } from "./revision-history.ts";

/**
 * Keeps one pod of a DaemonSet on the sandbox's one node, and replaces it when the template changes: the old pod goes
 * first, or with `maxSurge` stays until the new one is available.
 *
 * Taints and `deprecated.daemonset.template.generation` are not imitated.
 *
 * @see https://kubernetes.io/docs/concepts/workloads/controllers/daemonset/
 * @see https://github.com/kubernetes/kubernetes/blob/v1.32.0/pkg/controller/daemon/update.go
 */
export function daemonSetController(registry: Registry, events: EventRecorder): Controller {
  return {
    name: "daemonset",
    keysOf: ownOrControlled("daemonsets", "DaemonSet", ["pods", "controllerrevisions"]),
    reconcile(key) {
      const set = objectOf(registry, "daemonsets", key);
      if (set === undefined) return undefined;
      const revisions = syncRevisions(registry, set, REVISION_HASH);
      const hash = revisions.update.metadata.labels?.[REVISION_HASH] ?? "";
      const runs = belongsOnNode(set);
      if (set.metadata.deletionTimestamp === undefined) {
        if (runs) keepOne(set, hash);
        else for (const pod of podsOf(set)) deletePod(registry, events, set, pod);
      }
      const pods = podsOf(set);
      writeStatus(set, pods, hash, runs);
      const live = new Set([hash, ...pods.map(({ metadata }) => metadata.labels?.[REVISION_HASH])]);
      truncate(registry, set, revisions, ({ metadata }) => live.has(metadata.labels?.[REVISION_HASH]));
      return nextAvailableMs(pods, set.spec.minReadySeconds ?? 0, registry.now());
    },
  };

  function podsOf(set: DaemonSet): readonly Pod[] {
    return claimed(registry, "pods", set, set.spec.selector);
  }

  function belongsOnNode({ spec }: DaemonSet): boolean {
    const wanted = { matchLabels: spec.template.spec.nodeSelector ?? {} };
    return registry.list("nodes").some(({ metadata }) => selects(wanted, metadata.labels));
  }

  function keepOne(set: DaemonSet, hash: string): void {
    const pods = podsOf(set);
    const alive = pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
    const failed = alive.filter(({ status }) => status?.phase === "Failed");
    for (const pod of failed) deletePod(registry, events, set, pod);
    if (failed.length > 0) return;
    // A pod that is still ending counts: the next one comes when it has gone.
    if (pods.length === 0) {
      create(set, hash);
      return;
    }
    const fresh = alive.find((pod) => pod.metadata.labels?.[REVISION_HASH] === hash);
    const old = alive.find((pod) => pod.metadata.labels?.[REVISION_HASH] !== hash);
    const { type, rollingUpdate = {} } = set.spec.updateStrategy ?? {};
    if (old === undefined || type === "OnDelete") return;
    const available = (pod: Pod) => isAvailable(pod, set.spec.minReadySeconds ?? 0, registry.now());
    if (resolved(rollingUpdate.maxSurge ?? 0, 1, "up") > 0) {
      if (fresh === undefined) create(set, hash);
      else if (available(fresh)) deletePod(registry, events, set, old);
    } else if (!available(old) || resolved(rollingUpdate.maxUnavailable ?? 1, 1, "up") > 0)
      deletePod(registry, events, set, old);
  }

  function create(set: DaemonSet, hash: string): void {
    createPod(registry, events, set, set.spec.template, { labels: { [REVISION_HASH]: hash } });
  }

  function writeStatus(set: DaemonSet, pods: readonly Pod[], hash: string, runs: boolean): void {
    const desired = runs ? 1 : 0;
    const alive = pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
    const available = (pod: Pod) => isAvailable(pod, set.spec.minReadySeconds ?? 0, registry.now());
    const some = (test: (pod: Pod) => boolean) => (runs && alive.some(test) ? 1 : 0);
    const ofHash = (pod: Pod) => pod.metadata.labels?.[REVISION_HASH] === hash;
    const numberAvailable = some(available);
    const status: JsonObject = {
      currentNumberScheduled: some(() => true),
      numberMisscheduled: runs ? 0 : Math.min(1, alive.length),
      desiredNumberScheduled: desired,
      numberReady: some(isReady),
      ...positive("observedGeneration", set.metadata.generation ?? 0),
      ...positive("updatedNumberScheduled", some(ofHash)),
      ...positive("numberAvailable", numberAvailable),
      ...positive("numberUnavailable", desired - numberAvailable),
    };
    registry.update("daemonsets", { ...set, status }, CONTROLLER_STATUS);
  }
}
