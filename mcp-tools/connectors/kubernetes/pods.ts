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

/** Without any probe a pod is Ready as soon as its containers run, so this covers scheduling and pulling the image. */
export const DEFAULT_GRACE_MS = 30_000;

/**
 * How a pod's readiness counts at `now`: failing (not Ready, and past its start-up grace or broken for good), ready,
 * starting (not Ready, but still in its grace), or not counted (it is going, or ran to its end). `graceMs`: the least
 * grace, from the pod's start.
 *
 * @see https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-conditions
 */
export function podHealth(pod: Pod, now: number, graceMs: number): "failing" | "ready" | "starting" | "not-counted" {
  const { metadata, status } = pod;
  if (metadata.deletionTimestamp !== undefined || status.phase === "Succeeded" || status.phase === "Failed")
    return "not-counted";
  if (status.conditions.some(({ type, status: value }) => type === "Ready" && value === "True")) return "ready";
  const containers = [...status.initContainerStatuses, ...status.containerStatuses];
  if (containers.some(({ state }) => BROKEN.has(state.waiting?.reason ?? ""))) return "failing";
  const since = status.startTime ?? metadata.creationTimestamp ?? now;
  return now - since < startupGraceMs(pod, graceMs) ? "starting" : "failing";
}

/** Restarts of all its containers so far. */
export function restartsOf({ status }: Pod): number {
  return status.containerStatuses.reduce((sum, { restartCount }) => sum + restartCount, 0);
}

/**
 * How long a pod may take to become Ready: its slowest container's start-up probe to its last try, then the readiness
 * probe's own delay and as many of its periods as it may fail; never less than `graceMs`.
 *
 * @see https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/
 */
export function startupGraceMs({ spec }: Pod, graceMs: number): number {
  const lastTryMs = (probe: Probe | null | undefined) =>
    probe ? (probe.initialDelaySeconds + probe.periodSeconds * probe.failureThreshold) * 1000 : 0;
  const containers = spec.containers.map((one) => lastTryMs(one.startupProbe) + lastTryMs(one.readinessProbe));
  return Math.max(graceMs, ...containers);
}
