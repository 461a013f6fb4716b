import type { Draw } from "../scenarios/draw.ts";
import type { SeriesLine } from "../scenarios/observe/series.ts";
import {
  type Clock,
  type Fault,
  MINUTE,
  type PlannedChange,
  SECOND,
  type ServiceModel,
} from "../scenarios/world/model.ts";

/**
 * How the readiness of pods is recorded. Pod by pod: as a cluster that is watched tells it, in which a pod that starts does
 * not count yet. Sums by version: `kube_pod_status_ready{condition="false"}` added up, in which it does.
 */
export const PODS_RECORDED = ["pod by pod", "sums by version"] as const;
export type PodsRecorded = (typeof PODS_RECORDED)[number];

/** A service that is being deployed, with what makes its pods fail their checks. */
export interface Deployed {
  readonly service: ServiceModel;
  /** With the versions that it is to have. */
  readonly change: PlannedChange;
  readonly faults: readonly Fault[];
  readonly clock: Clock;
}

/** One pod of a drawn rollout. Unix ms; it is there from `createdAt` to `goneAt`, and fails its checks in the spans. */
interface Pod {
  readonly name: string;
  readonly version: string;
  readonly createdAt: number;
  /** From when on its not being ready yet is taken for a failure: it starts more slowly than its probes allow. */
  readonly lateFrom: number;
  readonly readyAt: number;
  readonly goneAt: number;
  readonly failing: readonly { readonly from: number; readonly to: number }[];
}

const HEALTH = "health_check_failures";
/** Pods are recorded from so long before the deploy on. */
const BEFORE_MS = 30 * MINUTE;
/** Pods start within seconds, or a minute; a guess, as the start-up of the drawn rollouts is. */
const START_SECONDS: readonly [number, number] = [8, 60];
/** A bad pod serves for as long before it fails: what never was ready serves nobody, and the drawn versions do serve. A guess. */
const SERVES_SECONDS: readonly [number, number] = [10, 120];
/** What breaks any pod is found by the probe of each within `failureThreshold` (3) times `periodSeconds` (10 s). */
const FOUND_WITHIN_SECONDS = 30;

/** The series of the pods of a service that is deployed, with what its faults do to their readiness. */
export function podSeries(deployed: Deployed, recorded: PodsRecorded, draw: Draw): readonly SeriesLine[] {
  const { service, change, clock } = deployed;
  const pods = podsOf(deployed, draw);
  const first = Math.max(0, Math.floor((change.startedAt - BEFORE_MS - clock.historyStart) / clock.stepMs));
  const count = Math.floor((clock.watchEnd - clock.historyStart) / clock.stepMs) - first;
  const start = clock.historyStart + first * clock.stepMs;
  const line = (labels: Readonly<Record<string, string>>, valueAt: (at: number) => number | null): SeriesLine => ({
    service: service.name,
    metric: HEALTH,
    unit: "count",
    labels,
    start: start / 1000,
    step: clock.stepMs / 1000,
    values: Array.from({ length: count }, (_, i) => valueAt(start + i * clock.stepMs)),
  });
  if (recorded === "pod by pod")
    return pods.map((pod) => line({ pod: `prod/${pod.name}`, version: pod.version }, (at) => look(pod, at)));
  return [...Map.groupBy(pods, ({ version }) => version)].map(([version, own]) =>
    line({ version }, (at) => {
      const there = own.filter((pod) => isThere(pod, at));
      return there.length === 0 ? null : there.filter((pod) => at < pod.readyAt || look(pod, at) === 1).length;
    }),
  );
}

const isThere = ({ createdAt, goneAt }: Pod, at: number): boolean => createdAt <= at && at < goneAt;

/** What a look at a pod says: 1 failing, 0 ready, null where it does not count. */
function look(pod: Pod, at: number): number | null {
  if (!isThere(pod, at)) return null;
  if (at < pod.readyAt) return at >= pod.lateFrom ? 1 : null;
  return pod.failing.some(({ from, to }) => from <= at && at < to) ? 1 : 0;
}

function podsOf({ service, change, faults }: Deployed, draw: Draw): readonly Pod[] {
  const unready = faults.filter((fault) => fault.service === service.name && (fault.unready ?? 0) > 0);
  const isSlow = draw.chance(0.5);
  const steps = change.shares.map(({ at, share }) => ({ at, count: Math.round(share * service.pods) }));
  const named = () => `${service.name}-${draw.hex(5)}`;
  const old = Array.from({ length: service.pods }, (_, i): Pod => {
    const goneAt = steps.find(({ count }) => count > i)?.at ?? Number.POSITIVE_INFINITY;
    const pod = { name: named(), version: change.from, createdAt: 0, lateFrom: 0, readyAt: 0, goneAt };
    return { ...pod, failing: failingOf(pod, unready, false, draw) };
  });
  const fresh = steps.flatMap(({ at, count }, step) =>
    Array.from({ length: Math.max(0, count - (steps[step - 1]?.count ?? 0)) }, (): Pod => {
      const createdAt = Math.max(change.startedAt, at - draw.uniform(...START_SECONDS) * SECOND);
      const lateFrom = isSlow ? (createdAt + at) / 2 : at;
      const pod = {
        name: named(),
        version: change.to,
        createdAt,
        lateFrom,
        readyAt: at,
        goneAt: Number.POSITIVE_INFINITY,
      };
      return { ...pod, failing: failingOf(pod, unready, true, draw) };
    }),
  );
  return [...old, ...fresh];
}

/** When a pod fails its checks: each fault takes it as often as it takes any, those of a version the pods of that alone. */
function failingOf({ readyAt }: Omit<Pod, "failing">, unready: readonly Fault[], isNew: boolean, draw: Draw) {
  return unready
    .filter(({ withVersion }) => withVersion !== true || isNew)
    .filter((fault) => draw.chance(fault.unready ?? 0))
    .map(({ from, to, withVersion }) => ({
      from: withVersion
        ? Math.max(from, readyAt + draw.uniform(...SERVES_SECONDS) * SECOND)
        : Math.max(readyAt, from + draw.uniform(0, FOUND_WITHIN_SECONDS) * SECOND),
      to,
    }));
}
