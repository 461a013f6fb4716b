import type { PodLabels, Series } from "../../../core/model/signal.ts";
import type { MetricQuery, MetricSource } from "../../../core/ports.ts";
import type { KubernetesSourceOptions } from "./changes.ts";
import { entryOf, podsOf, readInventory } from "./inventory.ts";
import { DEFAULT_GRACE_MS, podHealth, restartsOf } from "./pods.ts";
import { graceOf } from "./rollout-status.ts";
import { serviceOf } from "./services.ts";
import { versionOf } from "./template.ts";

export interface KubernetesHealth extends MetricSource {
  /** Looks at every pod once and keeps what it saw at `now` (Unix ms); called once a step. Throws as the client does. */
  observe(now: number, abort: AbortSignal): Promise<void>;
}

/** What one look at one pod saw. `failing` null: it did not count (starting, or going). */
interface Look {
  readonly at: number;
  readonly failing: boolean | null;
  readonly restarts: number;
}

interface PodRecord {
  readonly service: string;
  readonly pod: string;
  readonly version: string;
  readonly looks: Look[];
}

const METRICS = {
  health_check_failures: { unit: "count", worse: "up" },
  container_restarts: { unit: "count", worse: "up" },
} as const;
type Metric = keyof typeof METRICS;

/** Looks are forgotten after this: the longest window that a health condition or a postmortem looks back over. */
const DEFAULT_KEEP_MS = 2 * 60 * 60 * 1000;

/**
 * Readiness as a signal, pod by pod (`PodLabels`): `health_check_failures` is 1 in a step in which the pod
 * was seen not Ready past its start-up grace, 0 in one in which it was only seen Ready or, once, that it is gone: what does
 * not exist fails no more. null in one in which nobody looked or it did not count. `container_restarts` is how often its containers restarted since the look before.
 * Nothing is known from before the first `observe`, nor about a pod that has gone. `keepMs`: how far back it remembers;
 * `graceMs`: start-up grace of a pod where nothing tells it, default 30 s.
 */
export function kubernetesHealth(
  options: Omit<KubernetesSourceOptions, "now"> & { readonly graceMs?: number; readonly keepMs?: number },
): KubernetesHealth {
  const { client, namespaces, services, graceMs = DEFAULT_GRACE_MS, keepMs = DEFAULT_KEEP_MS } = options;
  const pods = new Map<string, PodRecord>();
  return {
    name: client.source,
    metrics: () => Object.keys(METRICS),
    async observe(at, abort) {
      const inventory = await readInventory(client, namespaces, abort);
      const seen = new Set<string>();
      for (const workload of inventory.workloads) {
        const service = serviceOf(workload, services);
        const own = podsOf(inventory, workload);
        const grace = graceOf(workload, own, graceMs);
        for (const pod of own) {
          const { uid, namespace, name } = pod.metadata;
          const version = entryOf(workload, pod)?.version ?? versionOf({ metadata: pod.metadata, spec: pod.spec });
          const record = pods.get(uid) ?? { service, pod: `${namespace}/${name}`, version, looks: [] };
          pods.set(uid, record);
          seen.add(uid);
          const health = podHealth(pod, at, grace);
          const failing = health === "failing" ? true : health === "ready" ? false : null;
          record.looks.push({ at, failing, restarts: restartsOf(pod) });
        }
      }
      for (const [uid, { looks }] of pods) {
        const last = looks.findLast(({ failing }) => failing !== null);
        if (!seen.has(uid) && last?.failing === true) looks.push({ at, failing: false, restarts: last.restarts });
      }
      forget(pods, at - keepMs);
    },
    async range(query) {
      const metric = query.metric;
      if (!isMetric(metric)) return [];
      return [...pods.values()].flatMap((record) => seriesOf(record, metric, query) ?? []);
    },
  };
}

function isMetric(name: string): name is Metric {
  return Object.hasOwn(METRICS, name);
}

function forget(pods: Map<string, PodRecord>, before: number): void {
  for (const [uid, { looks }] of pods) {
    const kept = looks.findIndex(({ at }) => at >= before);
    if (kept < 0) pods.delete(uid);
    else looks.splice(0, kept);
  }
}

/** On the grid of steps that end at multiples of `stepMs`, so that two queries agree; null where nothing was seen. */
function seriesOf(record: PodRecord, metric: Metric, { window, stepMs }: MetricQuery): Series | null {
  const startAt = Math.ceil(window.from / stepMs) * stepMs;
  const count = Math.floor((window.to - startAt) / stepMs) + 1;
  if (count <= 0) return null;
  const values = new Array<number | null>(count).fill(null);
  record.looks.forEach((look, index) => {
    const step = Math.ceil((look.at - startAt) / stepMs);
    const value = sampleOf(metric, look, record.looks[index - 1]);
    if (step < 0 || step >= count || value === null) return;
    const before = values[step] ?? 0;
    values[step] = metric === "health_check_failures" ? Math.max(before, value) : before + value;
  });
  if (values.every((value) => value === null)) return null;
  const labels: PodLabels = { pod: record.pod, version: record.version };
  return { service: record.service, metric, ...METRICS[metric], labels, startAt, stepMs, values };
}

function sampleOf(metric: Metric, look: Look, before: Look | undefined): number | null {
  if (metric === "health_check_failures") return look.failing === null ? null : Number(look.failing);
  return before === undefined ? null : Math.max(0, look.restarts - before.restarts);
}
