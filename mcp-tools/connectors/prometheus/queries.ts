import { isWellKnown, NAMES, STATUS_LABELS } from "../metric-conventions.ts";
import { labelText } from "./syntax.ts";

/** A query and the factor from what it yields to the metric's own unit. */
export interface DefaultQuery {
  readonly query: string;
  readonly scale: number;
}

const MS_PER_SECOND = 1000;

/**
 * The usual query for a well-known metric, from the conventional names, grouped by `labels`; null where there is none.
 * `range` is the window of its rates ("5m").
 *
 * Each alternative after `or` counts for services that have none of those before it: the status under several label
 * names, limits from the process, cAdvisor or kube-state-metrics.
 */
export function defaultQuery(metric: string, range: string, labels: readonly string[]): DefaultQuery | null {
  if (!isWellKnown(metric)) return null;
  const by = `by (${labels.map(labelText).join(", ")})`;
  const requests = `sum ${by} (rate(${NAMES.requests}[${range}]))`;
  const buckets = `rate(${NAMES.duration}_bucket[${range}])`;
  // Of a bucket that is no number `histogram_quantile` makes another quantile. A sum of all of them is a number only where each is
  // one, and below infinity: what it is compared with is false for NaN.
  const quantile = (q: number) =>
    `histogram_quantile(${q}, sum by (${["le", ...labels.map(labelText)].join(", ")}) (${buckets})) and (sum ${by} (${buckets}) < Inf)`;
  switch (metric) {
    case "request_rate":
      return { query: requests, scale: 1 };
    case "error_rate": {
      const errors = STATUS_LABELS.map((label) => `sum ${by} (rate(${NAMES.requests}{${label}=~"5..|5xx"}[${range}]))`);
      return { query: `(${[...errors, `${requests} * 0`].join(" or ")}) / ${requests}`, scale: 1 };
    }
    case "p50_latency":
      return { query: quantile(0.5), scale: MS_PER_SECOND };
    case "p99_latency":
      return { query: quantile(0.99), scale: MS_PER_SECOND };
    case "cpu_usage": {
      const used = `sum ${by} (rate(${NAMES.cpu}[${range}]))`;
      const limits = [...NAMES.cpuLimit.map((name) => `sum ${by} (${name})`), `count ${by} (${NAMES.cpu})`];
      return { query: `${used} / (${limits.join(" or ")})`, scale: 1 };
    }
    case "memory_usage": {
      const each = `by (${[...labels.map(labelText), "job", "instance", "pod"].join(", ")})`;
      const shares = NAMES.memoryLimit.map(
        (limit) => `max ${by} (max ${each} (${NAMES.memory}) / max ${each} (${limit} > 0))`,
      );
      return { query: shares.join(" or "), scale: 1 };
    }
    case "health_check_failures":
      return { query: `sum ${by} (kube_pod_status_ready{condition="false"})`, scale: 1 };
  }
}
