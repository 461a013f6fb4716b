import { WELL_KNOWN_METRICS, type WellKnownMetric, type Worse } from "../../core/model/signal.ts";

/**
 * The names that services' metrics usually have, for installations that configure no query of their own.
 *
 * Client libraries export the process's own under these names (https://prometheus.io/docs/instrumenting/writing_clientlibs/
 * "Process metrics"); the HTTP names are those of the Prometheus documentation's examples; unit suffix and `_total` as in
 * https://prometheus.io/docs/practices/naming/. Limits are not part of the client libraries: the names are those that
 * kube-state-metrics and cAdvisor use, and for processes that know their own limit, the process names with `_limit`.
 */
export const NAMES = {
  requests: "http_requests_total",
  duration: "http_request_duration_seconds",
  cpu: "process_cpu_seconds_total",
  cpuLimit: ["process_cpu_limit_cores", "container_spec_cpu_limit_cores"],
  memory: "process_resident_memory_bytes",
  memoryLimit: [
    "process_memory_limit_bytes",
    "process_resident_memory_limit_bytes",
    "container_spec_memory_limit_bytes",
  ],
  started: "process_start_time_seconds",
} as const;

/** Labels under which the HTTP status stands, the most usual first. */
export const STATUS_LABELS = ["status", "code", "status_code", "http_response_status_code"] as const;

/** A response that the server itself calls its failure (RFC 9110 §15.6): 500 to 599, or the class written "5xx". */
export const SERVER_ERROR = /^5(\d\d|xx)$/i;

/** Unit and direction of a metric: those of the well-known one, else what is given. */
export function meaningOf(metric: string, given: { readonly unit: string; readonly worse: Worse }) {
  return isWellKnown(metric) ? WELL_KNOWN_METRICS[metric] : given;
}

export function isWellKnown(metric: string): metric is WellKnownMetric {
  return Object.hasOwn(WELL_KNOWN_METRICS, metric);
}
