import { USUAL_RANGE } from "../model/signal.ts";
import type { Config } from "./config.ts";
import { parseDuration } from "./durations.ts";
import { promqlCode } from "./promql-code.ts";

/**
 * How far back a PromQL query looks for one of its answers, ms: the longest range in its brackets, the range of a subquery
 * (`[30m:1m]`) included; 0 where it has none.
 *
 * @see https://prometheus.io/docs/prometheus/latest/querying/basics/#range-vector-selectors
 */
export function windowOf(query: string): number {
  const ranges = [...promqlCode(query).matchAll(/\[\s*([^\]:]*?)\s*(?::[^\]]*)?\]/g)];
  return Math.max(0, ...ranges.map(([, range = ""]) => parseDuration(range) ?? 0));
}

/**
 * The metrics of policies' thresholds whose queries look back at least as far as a verification may take, the
 * longest first: their conditions hold until the harm has left the window, so that no recovery is confirmed in time.
 */
export function windowsBeyondVerification({
  policies,
  dataSources,
  feedback,
}: Config): readonly { readonly metric: string; readonly windowMs: number }[] {
  const { queries, type } = dataSources.metrics;
  const judged = policies.flatMap(({ conditions }) =>
    conditions.flatMap((one) => (one.kind === "threshold" ? [one.metric] : [])),
  );
  return [...new Set(judged)]
    .map((metric) => ({
      metric,
      windowMs: windowOfMetric(Object.hasOwn(queries, metric) ? queries[metric] : undefined),
    }))
    .filter(({ windowMs }) => windowMs >= feedback.timeoutMs)
    .sort((one, other) => other.windowMs - one.windowMs || one.metric.localeCompare(other.metric));

  function windowOfMetric(configured: { readonly query: string } | undefined): number {
    if (configured !== undefined) return windowOf(configured.query);
    return type === "prometheus" ? windowOf(`[${USUAL_RANGE}]`) : 0;
  }
}
