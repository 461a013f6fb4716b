import { z } from "zod";
import { Moment } from "./time.ts";

/** In which direction a signal hurts. `either`: both ways count. */
export const Worse = z.enum(["up", "down", "either"]);
export type Worse = z.infer<typeof Worse>;

/**
 * A signal: one metric of one service on a regular grid of time.
 *
 * `values[i]` was measured over the step that ends at `startAt + i·stepMs`; `null` is a missing sample, never zero.
 * `labels` empty: the whole service. `{version}`: the share of one version while two serve. `{pod}`: one pod;
 * `{pod, version}` (`PodLabels`): one pod of which is known what it runs.
 * Units: `error_rate`, `cpu_usage`, `memory_usage` ratio 0–1; latencies ms; `request_rate` requests a second;
 * `health_check_failures` failed checks a step. `asMeasured`, where judgement sets some of the samples aside (the
 * degradation that a rollback ended): all of them, as long as `values`; what people are shown is read from it.
 */
export const Series = z.strictObject({
  service: z.string(),
  metric: z.string(),
  unit: z.string(),
  worse: Worse,
  labels: z.record(z.string(), z.string()),
  startAt: Moment,
  stepMs: z.number().int().positive(),
  values: z.array(z.number().nullable()),
  asMeasured: z.array(z.number().nullable()).optional(),
});
export interface Series {
  readonly service: string;
  readonly metric: string;
  readonly unit: string;
  readonly worse: Worse;
  readonly labels: Readonly<Record<string, string>>;
  readonly startAt: number;
  readonly stepMs: number;
  readonly values: readonly (number | null)[];
  readonly asMeasured?: readonly (number | null)[] | undefined;
}

/** The labels of a series of one pod whose version is known, whatever label the configuration names versions by. */
export interface PodLabels extends Readonly<Record<string, string>> {
  readonly pod: string;
  readonly version: string;
}

/** The pod and version that a series is of; null: it is of no single pod, or nobody knows what that runs. */
export function podLabelsOf({ labels }: Pick<Series, "labels">): PodLabels | null {
  const { pod, version, ...others } = labels;
  return pod === undefined || version === undefined || Object.keys(others).length > 0 ? null : { pod, version };
}

/** The metrics that have a meaning of their own: unit, and the direction in which they hurt. */
export const WELL_KNOWN_METRICS = {
  request_rate: { unit: "req/s", worse: "either" },
  error_rate: { unit: "ratio", worse: "up" },
  p50_latency: { unit: "ms", worse: "up" },
  p99_latency: { unit: "ms", worse: "up" },
  cpu_usage: { unit: "ratio", worse: "up" },
  memory_usage: { unit: "ratio", worse: "up" },
  health_check_failures: { unit: "count", worse: "up" },
} as const satisfies Record<string, { unit: string; worse: Worse }>;
export type WellKnownMetric = keyof typeof WELL_KNOWN_METRICS;

/** Over what Prometheus' rates of a well-known metric are taken where the file writes no query of its own. */
export const USUAL_RANGE = "5m";

/**
 * The share of a service's requests that took longer than a bound which few of them (5 % at most) usually pass, where
 * histograms are counted. Not one of the metrics that people configure: the tests read it, and tell of `p99_latency`.
 */
export const SLOW_SHARE = "slow_share";

/** Identity of a signal, fit for a map's key; equal for equal service, metric and labels in any order. */
export function signalKey(series: Pick<Series, "service" | "metric" | "labels">): string {
  const labels = Object.entries(series.labels).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([series.service, series.metric, labels]);
}

/**
 * The same identity, quicker to make: for maps that are looked into for every series of every look. Unlike keys it says
 * nothing by its order.
 */
export function signalId(series: Pick<Series, "service" | "metric" | "labels">): string {
  const { service, metric, labels } = series;
  if (Object.keys(labels).length > 0) return signalKey(series);
  // The length says where the service ends; a key with labels begins with a bracket.
  return `${service.length} ${service}${metric}`;
}
