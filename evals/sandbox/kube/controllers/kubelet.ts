import { namespaceOf, type Pod } from "../objects.ts";
import type { StoreEvent } from "../store.ts";
import { createEventRecorder, type EventRecorder } from "./event-recorder.ts";
import { type KubeletParts, type PodWorker, startPodWorker } from "./pod-worker.ts";
import { isActive, isReady } from "./pods.ts";

export interface Kubelet {
  /** Pods that are ready and not ending, with the port of their process. */
  ready(): readonly { readonly pod: Pod; readonly port: number }[];
  /** Ends every process and starts none any more. */
  stop(): Promise<void>;
}

/** The one node's agent: every pod that the store holds has a worker, and every worker a pod. */
export function startKubelet(parts: Omit<KubeletParts, "events"> & { readonly events: EventRecorder }): Kubelet {
  const { registry, track } = parts;
  const workers = new Map<string, PodWorker>();
  const scheduler = createEventRecorder(registry, "default-scheduler");
  let stopped = false;

  const unsubscribe = registry.store.subscribe((event) => {
    if (event.plural === "pods" && !stopped) follow(event);
  });

  function follow({ type, object }: StoreEvent): void {
    const pod = object as Pod;
    const uid = pod.metadata.uid ?? "";
    const worker = workers.get(uid);
    if (type === "DELETED") {
      workers.delete(uid);
      if (worker !== undefined) track(worker.end(0));
      return;
    }
    if (pod.metadata.deletionTimestamp !== undefined) {
      if (worker === undefined) return;
      workers.delete(uid);
      track(finish(pod, worker));
      return;
    }
    // A write within a write would reach other listeners before the event that caused it.
    if (worker === undefined && isActive(pod)) setImmediateTracked(() => begin(uid, pod));
  }

  const begun = new Set<string>();
  function begin(uid: string, pod: Pod): void {
    const stored = registry.get("pods", namespaceOf(pod), pod.metadata.name);
    if (stopped || begun.has(uid) || stored?.metadata.uid !== uid) return;
    begun.add(uid);
    if (stored.metadata.deletionTimestamp !== undefined) {
      remove(stored);
      return;
    }
    const where = `${namespaceOf(pod)}/${pod.metadata.name} to ${pod.spec.nodeName ?? ""}`;
    scheduler.record(stored, "Normal", "Scheduled", `Successfully assigned ${where}`);
    workers.set(uid, startPodWorker(stored, parts));
  }

  function setImmediateTracked(work: () => void): void {
    track(
      new Promise<void>((resolve) => {
        setImmediate(() => {
          work();
          resolve();
        });
      }),
    );
  }

  async function finish(pod: Pod, worker: PodWorker): Promise<void> {
    await worker.end((pod.metadata.deletionGracePeriodSeconds ?? 30) * 1000);
    if (!stopped) remove(pod);
  }

  function remove({ metadata, ...pod }: Pod): void {
    const stored = registry.get("pods", metadata.namespace ?? "", metadata.name);
    if (stored === undefined || stored.metadata.uid !== metadata.uid) return;
    registry.remove("pods", namespaceOf({ metadata, ...pod }), metadata.name, { gracePeriodSeconds: 0 });
  }

  return {
    ready() {
      return registry.list("pods").flatMap((pod) => {
        const port = workers.get(pod.metadata.uid ?? "")?.port();
        return port !== undefined && isReady(pod) && isActive(pod) ? [{ pod, port }] : [];
      });
    },
    async stop() {
      stopped = true;
      unsubscribe();
      await Promise.all([...workers.values()].map((worker) => worker.end(500)));
      workers.clear();
    },
  };
}
