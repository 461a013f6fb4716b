import { WELL_KNOWN_METRICS, type Worse } from "../../../core/model/signal.ts";
import { meaningOf } from "../metric-conventions.ts";
import { defaultQuery } from "./queries.ts";
import { withRateWindow } from "./rate-window.ts";
import { requestsOf, withQuantile } from "./related.ts";
import { rewriteByService } from "./rewrite.ts";

export interface PlannedQuery {
  readonly query: string;
  readonly scale: number;
}
type Planned = ({ readonly ok: true } & PlannedQuery) | { readonly ok: false; readonly because: string };

/** Which query is asked for which metric: one for all services each time. */
export interface QueryPlan {
  readonly metrics: readonly string[];
  /** Configured queries that cannot be told apart by service. */
  readonly problems: readonly { readonly metric: string; readonly because: string }[];
  policy(metric: string): Planned;
  /** `rangeMs`: one step and one scrape interval. */
  statistics(metric: string, rangeMs: number): Planned;
}

export interface PlanOptions {
  readonly queries: Readonly<Record<string, { readonly query: string; readonly scale: number; readonly worse: Worse }>>;
  readonly serviceLabel: string;
  readonly versionLabel: string;
  readonly policyRange: string;
}

/**
 * Policies are judged by the configured query, grouped by service, or by the usual one where none is configured.
 *
 * Statistics need raw counts. Their window is one step and one scrape interval: samples then span exactly one step of
 * increments, so that steps tile time and each request counts in one step only. (A window of one step would see one
 * sample of a counter that is scraped once a step, hence no rate at all; the five minutes that people configure would
 * put a fault into thirty steps at once.) Where the configured query is made of rates alone it is asked over that short
 * window, because it names the metrics that this installation really has; else the conventional names are asked.
 * Values by service and by version come in one answer: the two sets of series differ in labels, so `or` joins them.
 */
export function planQueries({ serviceLabel, versionLabel, policyRange, ...options }: PlanOptions): QueryPlan {
  const queries = withRelated(options.queries);
  const worst = (metric: string) =>
    meaningOf(metric, { unit: "", worse: queries[metric]?.worse ?? "up" }).worse === "down" ? "min" : "max";
  const rewritten = (metric: string, query: string, labels: readonly string[]) =>
    rewriteByService(query, labels, worst(metric));
  const known = Object.keys(WELL_KNOWN_METRICS);

  function policy(metric: string): Planned {
    const own = queries[metric];
    if (own === undefined) {
      const usual = defaultQuery(metric, policyRange, [serviceLabel]);
      return usual === null ? { ok: false, because: "there is no query for it" } : { ok: true, ...usual };
    }
    const answer = rewritten(metric, own.query, [serviceLabel]);
    return answer.ok ? { ...answer, scale: own.scale } : answer;
  }

  function statistics(metric: string, rangeMs: number): Planned {
    const range = `${Math.round(rangeMs)}ms`;
    const own = queries[metric];
    const raw = own === undefined ? null : withRateWindow(own.query, range);
    if (own !== undefined && raw !== null) {
      const [all, versions] = [[serviceLabel], [serviceLabel, versionLabel]].map((by) => rewritten(metric, raw, by));
      if (all?.ok && versions?.ok)
        return { ok: true, query: `(${all.query}) or (${versions.query})`, scale: own.scale };
    }
    const all = defaultQuery(metric, range, [serviceLabel]);
    const versions = defaultQuery(metric, range, [serviceLabel, versionLabel]);
    if (all !== null && versions !== null)
      return { ok: true, query: `(${all.query}) or (${versions.query})`, scale: all.scale };
    return policy(metric);
  }

  return {
    metrics: [...new Set([...Object.keys(queries), ...known])],
    problems: Object.keys(options.queries).flatMap((metric) => {
      const planned = policy(metric);
      return planned.ok ? [] : [{ metric, because: planned.because }];
    }),
    policy,
    statistics,
  };
}

/**
 * What is not configured is asked of the metrics that are: requests of those that the error rate divides by, and the
 * median latency of the histogram of the p99. The usual names may not exist in this installation, or count other things.
 */
function withRelated(queries: PlanOptions["queries"]): PlanOptions["queries"] {
  const { error_rate: errors, p99_latency: p99 } = queries;
  const requests = errors === undefined ? null : requestsOf(errors.query);
  const median = p99 === undefined ? null : withQuantile(p99.query, 0.5);
  return {
    ...(requests === null ? {} : { request_rate: { query: requests, scale: 1, worse: "either" } }),
    ...(median === null || p99 === undefined ? {} : { p50_latency: { ...p99, query: median } }),
    ...queries,
  };
}
