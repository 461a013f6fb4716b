import type { ControllerRevision, Pod, PodTemplate, StatefulSet, StatefulSetStatus } from "../objects.ts";
import type { Registry } from "../registry.ts";
import type { EventRecorder } from "./event-recorder.ts";
import type { Controller } from "./loop.ts";
import { CONTROLLER_STATUS, claimed, objectOf, ownOrControlled } from "./ownership.ts";
import { createPod, deletePod, isActive, isAvailable, isReady, nextAvailableMs } from "./pods.ts";
import { positive } from "./replica-set.ts";
import { REVISION_HASH, type Revisions, syncRevisions, templateOf, truncate } from "./revision-history.ts";

interface Situation {
  readonly set: StatefulSet;
  readonly current: ControllerRevision;
  readonly update: ControllerRevision;
  /** Pods below `spec.replicas` by ordinal; a hole where there is none. */
  readonly members: readonly (Pod | undefined)[];
  /** Pods beyond `spec.replicas`, highest ordinal first. */
  readonly condemned: readonly Pod[];
}

/**
 * Keeps a StatefulSet's pods, one after the other where its policy is OrderedReady. Then a pod that does not become
 * ready holds up everything, its own replacement by a good revision included, as on a real cluster
 * (kubernetes/kubernetes#67250): it must be deleted by hand.
 *
 * Volume claims and `ordinals.start` are not imitated.
 *
 * @see https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/
 * @see https://github.com/kubernetes/kubernetes/blob/v1.32.0/pkg/controller/statefulset/stateful_set_control.go
 */
export function statefulSetController(registry: Registry, events: EventRecorder): Controller {
  return {
    name: "statefulset",
    keysOf: ownOrControlled("statefulsets", "StatefulSet", ["pods", "controllerrevisions"]),
    reconcile(key) {
      const set = objectOf(registry, "statefulsets", key);
      if (set === undefined) return undefined;
      const revisions = syncRevisions(registry, set, "controller.kubernetes.io/hash");
      const pods = claimed(registry, "pods", set, set.spec.selector).filter((pod) => ordinalOf(set, pod) >= 0);
      const situation = situationOf(set, revisions, pods);
      if (set.metadata.deletionTimestamp === undefined) step(situation);
      const left = claimed(registry, "pods", set, set.spec.selector);
      writeStatus(situation, left);
      const live = new Set([
        ...left.map(({ metadata }) => metadata.labels?.[REVISION_HASH]),
        situation.current.metadata.name,
        situation.update.metadata.name,
      ]);
      truncate(registry, set, revisions, ({ metadata }) => live.has(metadata.name));
      return nextAvailableMs(left, set.spec.minReadySeconds ?? 0, registry.now());
    },
  };

  /** The next thing to do for the set; several where the policy is Parallel. */
  function step(situation: Situation): void {
    const { set, members, condemned } = situation;
    const ordered = set.spec.podManagementPolicy !== "Parallel";
    const settled = (pod: Pod) => isActive(pod) && isAvailable(pod, set.spec.minReadySeconds ?? 0, registry.now());
    for (const [ordinal, pod] of members.entries()) {
      if (pod === undefined) {
        createMember(situation, ordinal);
        if (ordered) return;
      } else if (pod.metadata.deletionTimestamp === undefined && hasEnded(pod)) {
        deletePod(registry, events, set, pod);
        if (ordered) return;
      } else if (ordered && !settled(pod)) return;
    }
    for (const pod of condemned) {
      if (ordered && pod.metadata.deletionTimestamp !== undefined) return;
      deletePod(registry, events, set, pod);
      if (ordered) return;
    }
    updateNext(situation);
  }

  /** Takes the highest pod of an old revision away, unless one above it is not yet well. */
  function updateNext({ set, members, update }: Situation): void {
    const { type, rollingUpdate } = set.spec.updateStrategy ?? {};
    if (type === "OnDelete") return;
    for (let ordinal = members.length - 1; ordinal >= (rollingUpdate?.partition ?? 0); ordinal -= 1) {
      const pod = members[ordinal];
      if (pod === undefined) return;
      if (pod.metadata.labels?.[REVISION_HASH] !== update.metadata.name) {
        deletePod(registry, events, set, pod);
        return;
      }
      if (!isActive(pod) || !isReady(pod)) return;
    }
  }

  function createMember({ set, current, update }: Situation, ordinal: number): void {
    const { type, rollingUpdate } = set.spec.updateStrategy ?? {};
    const stays = type !== "OnDelete" && ordinal < (rollingUpdate?.partition ?? 0);
    const revision = stays ? current : update;
    const name = `${set.metadata.name}-${ordinal}`;
    const template = templateOf(revision);
    const { serviceName } = set.spec;
    const identity = {
      hostname: name,
      ...(serviceName === undefined || serviceName === "" ? {} : { subdomain: serviceName }),
    };
    const withIdentity: PodTemplate = { ...template, spec: { ...template.spec, ...identity } };
    createPod(registry, events, set, withIdentity, {
      name,
      labels: {
        [REVISION_HASH]: revision.metadata.name,
        "statefulset.kubernetes.io/pod-name": name,
        "apps.kubernetes.io/pod-index": String(ordinal),
      },
    });
  }

  function writeStatus({ set, current, update }: Situation, pods: readonly Pod[]): void {
    const count = (test: (pod: Pod) => boolean) => pods.filter(test).length;
    const of = (revision: ControllerRevision) => (pod: Pod) =>
      isActive(pod) && pod.metadata.labels?.[REVISION_HASH] === revision.metadata.name;
    const ready = count(isReady);
    const updated = count(of(update));
    const rolling = set.spec.updateStrategy?.type !== "OnDelete";
    const complete = rolling && updated === pods.length && ready === pods.length;
    const { collisionCount = 0 } = set.status ?? {};
    const status: StatefulSetStatus = {
      ...positive("observedGeneration", set.metadata.generation ?? 0),
      replicas: pods.length,
      ...positive("readyReplicas", ready),
      ...positive("currentReplicas", complete ? updated : count(of(current))),
      ...positive("updatedReplicas", updated),
      currentRevision: complete ? update.metadata.name : current.metadata.name,
      updateRevision: update.metadata.name,
      collisionCount,
      availableReplicas: count((pod) => isAvailable(pod, set.spec.minReadySeconds ?? 0, registry.now())),
    };
    registry.update("statefulsets", { ...set, status }, CONTROLLER_STATUS);
  }
}

function situationOf(set: StatefulSet, { all, update }: Revisions, pods: readonly Pod[]): Situation {
  const current = all.find(({ metadata }) => metadata.name === set.status?.currentRevision) ?? update;
  const replicas = set.spec.replicas ?? 1;
  return {
    set,
    current,
    update,
    members: Array.from({ length: replicas }, (_, ordinal) => pods.find((pod) => ordinalOf(set, pod) === ordinal)),
    condemned: pods
      .filter((pod) => ordinalOf(set, pod) >= replicas)
      .sort((a, b) => ordinalOf(set, b) - ordinalOf(set, a)),
  };
}

const hasEnded = ({ status }: Pod): boolean => status?.phase === "Failed" || status?.phase === "Succeeded";

/** The pod's number in its set, -1 for one whose name is not of the set's pattern. */
function ordinalOf(set: StatefulSet, { metadata }: Pod): number {
  const prefix = `${set.metadata.name}-`;
  const rest = metadata.name.startsWith(prefix) ? metadata.name.slice(prefix.length) : "";
  return /^\d+$/.test(rest) ? Number(rest) : -1;
}
