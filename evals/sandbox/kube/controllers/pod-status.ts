import type { Condition, ContainerState, ContainerStatus, Pod, PodStatus } from "../objects.ts";
import { toTimestamp } from "../registry.ts";
import { conditionOf } from "./conditions.ts";

/** What the kubelet knows of the process behind a pod. */
export interface Observation {
  readonly state: ContainerState;
  readonly lastState: ContainerState;
  readonly ready: boolean;
  readonly restartCount: number;
  /** Names the process; absent before the first start. */
  readonly pid?: number;
  readonly phase: "Pending" | "Running" | "Succeeded" | "Failed";
}

/**
 * A pod's status. One process stands for the pod, so every container of it shows that process's state.
 *
 * @see https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/
 */
export function statusOf(pod: Pod, seen: Observation, nowMs: number): PodStatus {
  const before = pod.status?.conditions;
  const names = pod.spec.containers.map(({ name }) => name);
  const unready = seen.ready
    ? {}
    : {
        reason: "ContainersNotReady",
        message: `containers with unready status: [${names.join(" ")}]`,
      };
  const set = (type: string, holds: boolean, why: Partial<Condition> = {}): Condition => {
    const status = holds ? "True" : "False";
    const old = conditionOf(before, type);
    const lastTransitionTime = old?.status === status ? (old.lastTransitionTime ?? null) : toTimestamp(nowMs);
    return { type, status, lastProbeTime: null, lastTransitionTime, ...why };
  };
  return {
    phase: seen.phase,
    conditions: [
      set("PodReadyToStartContainers", true),
      set("Initialized", true),
      set("Ready", seen.ready, unready),
      set("ContainersReady", seen.ready, unready),
      set("PodScheduled", true),
    ],
    hostIP: "127.0.0.1",
    ...(seen.pid === undefined ? {} : { podIP: "127.0.0.1" }),
    startTime: pod.status?.startTime ?? toTimestamp(nowMs),
    containerStatuses: pod.spec.containers.map(({ name, image }) => containerStatus(name, image, seen)),
    qosClass: pod.status?.qosClass ?? "BestEffort",
  };
}

function containerStatus(name: string, image: string, seen: Observation): ContainerStatus {
  return {
    name,
    image,
    imageID: seen.pid === undefined ? "" : image,
    ...(seen.pid === undefined ? {} : { containerID: `process://${seen.pid}` }),
    ready: seen.ready,
    started: seen.state.running !== undefined,
    restartCount: seen.restartCount,
    state: seen.state,
    lastState: seen.lastState,
  };
}
