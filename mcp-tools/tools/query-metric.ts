import { z } from "zod";
import { UnshipError } from "../../core/errors.ts";
import type { Gap } from "../../core/model/assessment.ts";
import { joined, own } from "../../core/model/fenced.ts";
import type { Series } from "../../core/model/signal.ts";
import { rfc3339 } from "../../core/model/time.ts";
import { name, UNTRUSTED_NOTICE } from "../../core/model/untrusted-text.ts";
import type { Lack, MetricSource } from "../../core/ports.ts";
import { cursor, limit, more, notice, service } from "../arguments.ts";
import { askAll } from "../ask-sources.ts";
import { defineTool } from "../define-tool.ts";
import { figure } from "../figures.ts";
import { gaps, gapViews } from "../gap-view.ts";
import { refuseUnknownService } from "../known-service.ts";
import { page } from "../page.ts";
import { bucketMeans, summary } from "../series-summary.ts";
import { windowFields, windowOf } from "../time-window.ts";

/** The finest grid asked for: scrapes are seldom closer, and a week at it still fits a metric source's usual limit. */
const FINEST_STEP_MS = 15_000;

const SeriesView = z.strictObject({
  service: z.string(),
  labels: z.string().optional(),
  unit: z.string(),
  min: z.number().nullable(),
  mean: z.number().nullable(),
  max: z.number().nullable(),
  last: z.number().nullable(),
  missing: z.number().describe("Samples without a value: unknown, not zero"),
  values: z.array(z.number().nullable()),
});

export const queryMetric = defineTool({
  name: "query_metric",
  title: "Query a metric",
  effect: "read",
  reach: "sources",
  description:
    "One metric over a window, for each service or one: minimum, mean, maximum, last, and means in `values` every " +
    "`step_seconds` from `from`. Well-known: request_rate (req/s), error_rate (0-1), p50_latency, p99_latency (ms), " +
    "cpu_usage, memory_usage (0-1), health_check_failures.",
  input: z.strictObject({
    metric: z.string().min(1).max(200),
    service,
    ...windowFields,
    points: z.int().min(1).max(120).default(30),
    limit: limit(50, 10),
    cursor,
  }),
  output: z.strictObject({
    notice,
    metric: z.string(),
    from: z.string(),
    to: z.string(),
    step_seconds: z.number(),
    series: z.array(SeriesView),
    total: z.number(),
    more,
    gaps,
  }),
  async run(input, { sources, clock, config }, abort) {
    const able = sources.metrics.filter((source) => source.metrics().includes(input.metric));
    if (able.length === 0 && sources.metrics.length > 0) {
      const all = [...new Set(sources.metrics.flatMap((source) => [...source.metrics()]))].sort();
      throw new UnshipError("metric.unknown", {
        metric: name(input.metric),
        known: all.map((one) => name(one)).join(", "),
      });
    }
    const window = windowOf(input, clock.now());
    const bucketMs = Math.max(1, Math.ceil((window.to - window.from) / input.points));
    const stepMs = Math.min(Math.max(FINEST_STEP_MS, bucketMs / 4), Math.max(bucketMs, FINEST_STEP_MS));
    const { metric } = input;
    const lacking: Gap[] = [];
    const lacks = ({ gap }: Lack) => void lacking.push(gap);
    const query = { metric, window, stepMs: Math.ceil(stepMs), purpose: "statistics", lacks } as const;
    const about = { of: "metrics", metric, what: metric } as const;
    const { answers, gaps: unanswered } = await askAll(able, about, (source) => source.range(query, abort), abort);
    const measured = [...new Set(answers.flat().map(({ service }) => service))].sort();
    if (measured.length > 0) refuseUnknownService(input.service, [...measured, ...Object.keys(config.services)]);
    const found = answers
      .flat()
      .filter((one) => input.service === undefined || one.service === input.service)
      .toSorted((a, b) => order(a).localeCompare(order(b), "en"));
    const { cursor: at, limit: most, ...question } = input;
    const missing = [...unanswered, ...lacking.filter((gap) => isAbout(gap, input.service))];
    // An empty answer would read as one in which nothing is wrong.
    if (found.length === 0 && missing.length === 0) missing.push(unmeasured(able, metric, input.service));
    const shown = found.map((series) => seriesView(series, window, bucketMs));
    const { items, ...rest } = page(shown, { cursor: at, limit: most, question });
    return {
      notice: UNTRUSTED_NOTICE,
      metric: name(input.metric),
      from: rfc3339(window.from),
      to: rfc3339(window.to),
      step_seconds: figure(bucketMs / 1000),
      series: [...items],
      ...rest,
      gaps: gapViews(missing),
    };
  },
});

const order = ({ service: of, labels }: Series) => JSON.stringify([of, Object.entries(labels).sort()]);

const isAbout = ({ services }: Gap, service: string | undefined): boolean =>
  service === undefined || services === undefined || services.includes(service);

function unmeasured(able: readonly MetricSource[], metric: string, service: string | undefined): Gap {
  return {
    of: "metrics",
    how: "partial",
    metric,
    ...(service === undefined ? {} : { services: [service] }),
    source: able.map((source) => source.name).join(", "),
    what: service === undefined ? metric : `${metric} of ${service}`,
    because: "no sample of that window is known: not measured, or not yet",
  };
}

function seriesView(series: Series, window: { readonly from: number; readonly to: number }, bucketMs: number) {
  const labels = Object.entries(series.labels).map(([key, value]) => own`${name(key)}=${name(value)}`);
  const { min, mean, max, last, missing } = summary(series);
  return {
    service: name(series.service),
    ...(labels.length === 0 ? {} : { labels: joined(labels, ",") }),
    unit: name(series.unit),
    min: figure(min),
    mean: figure(mean),
    max: figure(max),
    last: figure(last),
    missing,
    values: bucketMeans(series, window, bucketMs).map((value) => figure(value)),
  };
}
