import type { Pod, Probe } from "./objects.ts";

/** Reasons for which a container waits that no patience mends. A start-up grace does not cover them. */
const BROKEN = new Set([
  "CrashLoopBackOff",
  "ErrImagePull",
  "ImagePullBackOff",
  "InvalidImageName",
  "ErrImageNeverPull",
  "CreateContainerConfigError",
  "CreateContainerError",
  "RunContainerError",
]);

/** Where nothing tells how long a workload's pods take: no Ready pod to learn from, or no probe that says. */
export const DEFAULT_GRACE_MS = 30_000;
/** Waiting for a node or for an image is not failing yet; Kubernetes' own progress deadline is as long. */
const WAITING_GRACE_MS = 600_000;
/** A pod may take this much longer than its workload's pods usually do: a busy node, a cold cache. */
const USUAL_FACTOR = 2;

export interface Grace {
  /** The least, where `usualMs` is not known or a pod has no probe. */
  readonly leastMs: number;
  /** How long the workload's pods take to become Ready, see `usualReadyMs`. */
  readonly usualMs: number | null;
  /** The rollout's own deadline has passed: nobody has to wait any longer. */
  readonly over: boolean;
}

/**
 * How a pod's readiness counts at `now`: failing (not Ready, and past its start-up grace or broken for good), ready,
 * starting (not Ready, but still in its grace), or not counted (it is going, or ran to its end).
 *
 * The grace is what its probes allow from the start of its containers, or twice what its workload's pods usually take,
 * whichever is longer: readiness probes are seldom set to an application's real start-up time, and a slow start is no
 * failure.
 *
 * @see https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-conditions
 */
export function podHealth(pod: Pod, now: number, grace: Grace): "failing" | "ready" | "starting" | "not-counted" {
  const { metadata, status } = pod;
  if (metadata.deletionTimestamp !== undefined || status.phase === "Succeeded" || status.phase === "Failed")
    return "not-counted";
  if (readySince(pod) !== null) return "ready";
  const containers = [...status.initContainerStatuses, ...status.containerStatuses];
  const isBroken = containers.some(
    ({ state }) => BROKEN.has(state.waiting?.reason ?? "") || state.terminated?.exitCode,
  );
  if (isBroken) return "failing";
  return !grace.over && now < expectedReadyBy(pod, now, grace) ? "starting" : "failing";
}

/**
 * Median time from a pod's start until it was Ready, ms, over the pods that are Ready; null where none tells. A node that
 * was not heard of for a moment makes all its pods unready and ready again, while their containers stay ready: the earlier
 * of both counts. A pod that was unready by itself later on gives a time that is no start-up; one beyond any start-up is
 * left out.
 *
 * @see https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-conditions
 */
export function usualReadyMs(pods: readonly Pod[]): number | null {
  const times = pods
    .flatMap((pod) => {
      const readyAt = firstReadyAt(pod);
      const startedAt = startOf(pod);
      return readyAt === null || startedAt === undefined ? [] : [Math.max(0, readyAt - startedAt)];
    })
    .filter((time) => time <= WAITING_GRACE_MS)
    .toSorted((a, b) => a - b);
  return times[Math.floor((times.length - 1) / 2)] ?? null;
}

/** Restarts of all its containers so far. */
export function restartsOf({ status }: Pod): number {
  return status.containerStatuses.reduce((sum, { restartCount }) => sum + restartCount, 0);
}

function expectedReadyBy(pod: Pod, now: number, { leastMs, usualMs }: Grace): number {
  const podStart = startOf(pod) ?? now;
  const starts = pod.status.containerStatuses.map(({ state }) => state.running?.startedAt);
  const running = starts.filter((one) => one !== undefined);
  if (running.length < Math.max(1, pod.spec.containers.length)) return podStart + WAITING_GRACE_MS;
  const probesMs = probeMs(pod);
  const least = usualMs === null || probesMs === 0 ? podStart + leastMs : 0;
  return Math.max(
    Math.max(podStart, ...running) + probesMs,
    podStart + Math.min(USUAL_FACTOR * (usualMs ?? 0), WAITING_GRACE_MS),
    least,
  );
}

/**
 * The slowest container's start-up probe to its last try, then the readiness probe's own delay and as many of its
 * periods as it may fail. 0: no container has a probe.
 *
 * @see https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/
 */
function probeMs({ spec }: Pod): number {
  const lastTryMs = (probe: Probe | null | undefined) =>
    probe ? (probe.initialDelaySeconds + probe.periodSeconds * probe.failureThreshold) * 1000 : 0;
  return Math.max(0, ...spec.containers.map((one) => lastTryMs(one.startupProbe) + lastTryMs(one.readinessProbe)));
}

function startOf({ status, metadata }: Pod): number | undefined {
  return status.startTime ?? metadata.creationTimestamp;
}

/** When it became ready first, as far as its conditions tell, Unix ms; null: it is not Ready. */
function firstReadyAt(pod: Pod): number | null {
  const since = readySince(pod);
  const containers = pod.status.conditions.find(({ type, status }) => type === "ContainersReady" && status === "True");
  return since === null ? null : Math.min(since, containers?.lastTransitionTime ?? since);
}

/** Unix ms since when it is Ready; null: it is not. */
function readySince({ status }: Pod): number | null {
  const ready = status.conditions.find(({ type }) => type === "Ready");
  return ready?.status === "True" ? (ready.lastTransitionTime ?? status.startTime ?? 0) : null;
}
