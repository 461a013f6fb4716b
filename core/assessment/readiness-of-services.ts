import type { Series } from "../model/signal.ts";

/**
 * The failed health checks of each service as a whole: as they were read, and as its pods add up to them where these are read
 * pod by pod (Kubernetes tells readiness so). A step in which nobody saw a pod is missing. A service that is read both ways
 * has both. Pure. Work: O(samples of readiness).
 */
export function readinessOfServices(series: readonly Series[]): readonly Series[] {
  const readiness = series.filter(({ metric }) => metric === "health_check_failures");
  const whole = readiness.filter(({ labels }) => Object.keys(labels).length === 0);
  const pods = readiness.filter(({ labels }) => labels.pod !== undefined);
  const ofOneGrid = Map.groupBy(pods, ({ service, stepMs }) => JSON.stringify([service, stepMs]));
  return [...whole, ...[...ofOneGrid.values()].flatMap((own) => summed(own) ?? [])];
}

/** Sample by sample, from the first of any of them to the last; null where there are none. */
function summed(pods: readonly Series[]): Series | null {
  const [first] = pods;
  if (first === undefined) return null;
  const { stepMs } = first;
  const startAt = Math.min(...pods.map((pod) => pod.startAt));
  const end = Math.max(...pods.map((pod) => pod.startAt + pod.values.length * stepMs));
  const values = new Array<number | null>(Math.round((end - startAt) / stepMs)).fill(null);
  for (const pod of pods) {
    const offset = Math.round((pod.startAt - startAt) / stepMs);
    for (const [i, value] of pod.values.entries())
      if (value !== null && offset + i < values.length) values[offset + i] = (values[offset + i] ?? 0) + value;
  }
  return { ...first, labels: {}, startAt, values };
}
