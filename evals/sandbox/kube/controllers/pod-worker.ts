import type { PodRuntime, RunningPod } from "../../pod-runtime.ts";
import { type Container, type ContainerState, namespaceOf, type Pod } from "../objects.ts";
import { type Registry, toTimestamp } from "../registry.ts";
import type { EventRecorder } from "./event-recorder.ts";
import { ContainerConfigError, environmentOf } from "./pod-environment.ts";
import { type Observation, statusOf } from "./pod-status.ts";
import { afterProbe, NOT_READY, probeFigures, type Readiness } from "./readiness.ts";

export interface KubeletTimings {
  /** In place of every probe's own period. */
  readonly probePeriodMs?: number;
  /** First wait before a container is started again; doubles each time. 10 s as in a kubelet. */
  readonly backOffMs?: number;
  /** Longest such wait. 5 min as in a kubelet. */
  readonly backOffMaxMs?: number;
  /** Longest time that a pod is given to end, whatever its own grace period. */
  readonly maxGraceMs?: number;
}

export interface KubeletParts {
  readonly registry: Registry;
  readonly runtime: PodRuntime;
  readonly events: EventRecorder;
  readonly timings: KubeletTimings;
  /** Told of every start, stop and first probe that is under way. */
  readonly track: (work: Promise<unknown>) => void;
}

/** The pod's port on loopback, which no field of a real pod has a place for. */
export const PORT_ANNOTATION = "sandbox.unship.dev/port";

const KUBELET = { manager: "kubelet", subresource: "status" } as const;

export interface PodWorker {
  /** Where the pod's process serves; undefined while there is none. */
  port(): number | undefined;
  /** Stops the process for good; resolves when it has ended. */
  end(graceMs: number): Promise<void>;
}

/** Runs one pod's process: starts it, probes it, starts it again when it ends, and keeps the pod's status true. */
export function startPodWorker(pod: Pod, parts: KubeletParts): PodWorker {
  const { registry, runtime, events, timings, track } = parts;
  const { name: podName, uid } = pod.metadata;
  const namespace = namespaceOf(pod);
  const [container] = pod.spec.containers;
  const backOffMs = timings.backOffMs ?? 10_000;
  const backOffMaxMs = timings.backOffMaxMs ?? 300_000;
  let ended = false;
  let running: RunningPod | undefined;
  let startedAt = 0;
  let restarts = 0;
  let waitMs = 0;
  let readiness: Readiness = NOT_READY;
  let lastState: ContainerState = {};
  let timer: NodeJS.Timeout | undefined;
  let starting: Promise<void> | undefined;

  const current = (): Pod | undefined => {
    const found = registry.get("pods", namespace, podName);
    return found?.metadata.uid === uid ? found : undefined;
  };
  const later = (ms: number, what: () => void) => {
    clearTimeout(timer);
    if (!ended) timer = setTimeout(what, ms);
  };

  function show(state: ContainerState, phase: Observation["phase"] = "Running"): void {
    const now = current();
    if (now === undefined) return;
    const pid = running?.pid;
    const seen: Observation = {
      state,
      lastState,
      ready: readiness.ready,
      restartCount: restarts,
      phase,
      ...(pid === undefined ? {} : { pid }),
    };
    const port = running === undefined ? {} : { [PORT_ANNOTATION]: String(running.port) };
    const metadata = { ...now.metadata, annotations: { ...now.metadata.annotations, ...port } };
    registry.update("pods", { ...now, metadata, status: statusOf(now, seen, registry.now()) }, KUBELET);
  }

  const phaseBefore = (): "Pending" | "Running" => (startedAt === 0 ? "Pending" : "Running");

  function begin(): void {
    starting = start();
    track(starting);
  }

  async function start(): Promise<void> {
    if (ended || container === undefined) return;
    try {
      const { labels = {} } = pod.metadata;
      const env = environmentOf(current() ?? pod, container, (name) => registry.get("configmaps", namespace, name));
      const process = await runtime.start({ name: podName, namespace, labels, image: container.image, env });
      if (ended) {
        await process.stop(0);
        return;
      }
      began(process, container);
    } catch (error) {
      if (!ended) refused(container, error);
    }
  }

  function began(process: RunningPod, { name, image }: Container): void {
    running = process;
    startedAt = registry.now();
    readiness = NOT_READY;
    process.onExit((code) => exited(process, code));
    note("Normal", "Pulled", `Container image "${image}" already present on machine`);
    note("Normal", "Created", `Created container: ${name}`);
    note("Normal", "Started", `Started container ${name}`);
    show(runningState());
    const { initialDelayMs } = probeFigures(container as Container, timings.probePeriodMs);
    if (initialDelayMs > 0) later(initialDelayMs, () => void probe(process));
    else track(probe(process));
  }

  const runningState = (): ContainerState => ({ running: { startedAt: toTimestamp(startedAt) } });

  async function probe(process: RunningPod): Promise<void> {
    const figures = probeFigures(container as Container, timings.probePeriodMs);
    const ok = await process.ready().catch(() => false);
    if (ended || running !== process) return;
    const before = readiness;
    readiness = afterProbe(before, ok, figures);
    if (!ok) note("Warning", "Unhealthy", "Readiness probe failed: the process is not ready");
    if (before.ready !== readiness.ready) show(runningState());
    later(figures.periodMs, () => void probe(process));
  }

  function exited(process: RunningPod, code: number | null): void {
    if (running !== process || ended) return;
    const finishedMs = registry.now();
    // A process that was killed by a signal has no code; a container runtime reports 128 + the signal's number.
    const exitCode = code ?? 137;
    const terminated = {
      exitCode,
      reason: exitCode === 0 ? "Completed" : "Error",
      startedAt: toTimestamp(startedAt),
      finishedAt: toTimestamp(finishedMs),
      containerID: `process://${process.pid}`,
    };
    running = undefined;
    readiness = NOT_READY;
    const policy = pod.spec.restartPolicy ?? "Always";
    if (policy === "Never" || (policy === "OnFailure" && exitCode === 0)) {
      show({ terminated }, exitCode === 0 ? "Succeeded" : "Failed");
      return;
    }
    // A container that has run twice as long as the longest wait starts with a clean slate.
    if (finishedMs - startedAt > 2 * backOffMaxMs) waitMs = 0;
    const delayMs = waitMs;
    waitMs = waitMs === 0 ? backOffMs : Math.min(2 * waitMs, backOffMaxMs);
    restarts += 1;
    lastState = { terminated };
    if (delayMs === 0) {
      show({ terminated });
      begin();
      return;
    }
    const containerName = container?.name ?? "";
    const message = `back-off ${delayMs / 1000}s restarting failed container=${containerName} pod=${podName}_${namespace}(${uid})`;
    note(
      "Warning",
      "BackOff",
      `Back-off restarting failed container ${containerName} in pod ${podName}_${namespace}(${uid})`,
    );
    show({ waiting: { reason: "CrashLoopBackOff", message } });
    later(delayMs, () => begin());
  }

  function refused({ name, image }: Container, error: unknown): void {
    const said = error instanceof Error ? error.message : String(error);
    const isConfig = error instanceof ContainerConfigError;
    const first = waitMs === 0;
    waitMs = first ? backOffMs : Math.min(2 * waitMs, backOffMaxMs);
    if (isConfig) {
      note("Warning", "Failed", `Error: ${said}`);
      show({ waiting: { reason: "CreateContainerConfigError", message: said } }, phaseBefore());
    } else {
      note("Warning", "Failed", `Failed to pull image "${image}": ${said}`);
      if (!first) note("Normal", "BackOff", `Back-off pulling image "${image}"`);
      const reason = first ? "ErrImagePull" : "ImagePullBackOff";
      show(
        { waiting: { reason, message: first ? said : `Back-off pulling image "${image}": ${name}` } },
        phaseBefore(),
      );
    }
    later(isConfig ? Math.min(waitMs, 1000) : waitMs, () => begin());
  }

  function note(type: "Normal" | "Warning", reason: string, message: string): void {
    events.record(current() ?? pod, type, reason, message);
  }

  show({ waiting: { reason: "ContainerCreating" } }, "Pending");
  begin();

  return {
    port: () => running?.port,
    async end(graceMs) {
      ended = true;
      clearTimeout(timer);
      const process = running;
      // A process that is being started ends as soon as it has been.
      if (process === undefined) return starting;
      note("Normal", "Killing", `Stopping container ${container?.name ?? ""}`);
      await process.stop(Math.min(graceMs, timings.maxGraceMs ?? graceMs));
    },
  };
}
