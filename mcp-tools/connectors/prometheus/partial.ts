import type { Lack, MetricQuery } from "../../../core/ports.ts";
import type { Answer } from "./answer.ts";

/** PromQL's own remarks on a query stand among the warnings, and speak of no data that is missing. */
const REMARK = /^PromQL (warning|info):/;

/**
 * Whether some storage behind an answer did not answer: VictoriaMetrics and others say `isPartial`, Thanos and
 * Prometheus' remote read put the storage's error among `warnings` and give what the others hold.
 *
 * @see https://prometheus.io/docs/prometheus/latest/querying/api/#format-overview
 * @see https://thanos.io/tip/components/query.md/#partial-response
 */
export function isPartial({ isPartial, warnings = [] }: Answer): boolean {
  return isPartial === true || warnings.some((text) => !REMARK.test(text));
}

/** What a partial answer lacks, up to the end of its window: unknown (S9). What the remote said stays out (S11). */
export const lackOf = (source: string, { metric, purpose, window }: MetricQuery): Lack => ({
  gap: {
    of: "metrics",
    how: "partial",
    metric,
    source,
    what: `metrics: ${metric} (${purpose})`,
    because: "a part of it did not answer, the rest did",
  },
  at: window.to,
});
