import type { PodRuntime, PodStart } from "../../evals/sandbox/pod-runtime.ts";

export interface FakePodRuntime extends PodRuntime {
  /** Every pod that was started, in order; one that was started again is here again. */
  readonly started: readonly PodStart[];
  /** Pods that run now. */
  readonly running: ReadonlyMap<string, PodStart>;
  /** Which pods answer "ready" from now on; at first all do. */
  readyWhen(ready: (pod: PodStart) => boolean): void;
  /** Has starting a pod of these images fail, as one of an unknown image does. */
  refuse(unknown: (image: string) => boolean): void;
  /** Has a process that is told to stop go on until this is done; at first it ends at once. */
  stopAfter(ended: () => Promise<void>): void;
  /** Ends one pod's process by itself. */
  crash(name: string, code: number): void;
}

/** A runtime whose processes are entries of a map: no process is started and no port is open. */
export function fakePodRuntime(): FakePodRuntime {
  const started: PodStart[] = [];
  const running = new Map<string, PodStart>();
  const exits = new Map<string, (code: number | null) => void>();
  let isReady: (pod: PodStart) => boolean = () => true;
  let isUnknown: (image: string) => boolean = () => false;
  let untilStopped: () => Promise<void> = async () => undefined;
  let pids = 1000;

  const end = (name: string, code: number | null) => {
    if (!running.delete(name)) return;
    const exit = exits.get(name);
    exits.delete(name);
    exit?.(code);
  };

  return {
    started,
    running,
    readyWhen(ready) {
      isReady = ready;
    },
    refuse(unknown) {
      isUnknown = unknown;
    },
    stopAfter(ended) {
      untilStopped = ended;
    },
    crash: end,
    async start(pod) {
      if (isUnknown(pod.image)) throw new Error(`there is no image ${pod.image}`);
      started.push(pod);
      running.set(pod.name, pod);
      pids += 1;
      return {
        pid: pids,
        port: 20_000 + pids,
        ready: async () => running.has(pod.name) && isReady(pod),
        async stop() {
          await untilStopped();
          end(pod.name, null);
        },
        onExit: (listener) => void exits.set(pod.name, listener),
      };
    },
  };
}
