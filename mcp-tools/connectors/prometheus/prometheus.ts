import { z } from "zod";
import { UnshipError } from "../../../core/errors.ts";
import type { Gap } from "../../../core/model/assessment.ts";
import { type Series, USUAL_RANGE, type Worse } from "../../../core/model/signal.ts";
import type { Clock, MetricQuery, MetricSource } from "../../../core/ports.ts";
import { countText } from "../bounds.ts";
import { type Http, type Path, path } from "../http.ts";
import { meaningOf } from "../metric-conventions.ts";
import { type Grid, gridOf } from "../time-grid.ts";
import { Answer, type RawSeries, sampleValue, seriesOf } from "./answer.ts";
import { createAnswerStream } from "./answer-stream.ts";
import { isPartial, lackOf } from "./partial.ts";
import { type PlannedQuery, planQueries, type QueryPlan } from "./query-plan.ts";
import { ActiveTargets, usualInterval } from "./scrape-interval.ts";

/** A query from the configuration, its unit worked out. */
export interface ConfiguredQuery {
  readonly query: string;
  /** Unit of the metric's values as the rest of unship sees them. */
  readonly unit: string;
  /** Factor from what the query yields to `unit`: 1000 for a query in seconds of a metric in ms. */
  readonly scale: number;
  readonly worse: Worse;
}

export interface PrometheusOptions {
  readonly http: Http;
  readonly clock: Clock;
  readonly queries: Readonly<Record<string, ConfiguredQuery>>;
  readonly serviceLabel?: string;
  readonly versionLabel?: string;
  /** How often targets are scraped. Default: asked of Prometheus once; where it will not say, one step. */
  readonly scrapeIntervalMs?: number;
  /** Points younger than this are left out. Default: one step, at most 10 s. See `settledUntil`. */
  readonly settleMs?: number;
  /** Window of the rates in the usual queries where none is configured. Default: `USUAL_RANGE`. */
  readonly policyRange?: string;
  /** Hears what an answer had to say beside its values: warnings, services that are not named. */
  readonly note?: (metric: string, text: string) => void;
}

export interface PresentValue {
  readonly metric: string;
  /** What is asked, as written in the configuration or by default. */
  readonly query: string;
  readonly unit: string;
  /** The value over all services, as the query stands there; null: no result. */
  readonly overall: number | null;
  readonly byService: Readonly<Record<string, number | null>>;
  /** Why the query cannot be told apart by service; null: it can. */
  readonly notByService: string | null;
}

export interface PrometheusSource extends MetricSource {
  /** One value of a metric now, in its unit, for `check`. */
  present(metric: string, abort: AbortSignal): Promise<PresentValue>;
  /** Who answers, and how long it takes. */
  ping(abort: AbortSignal): Promise<{ readonly version: string; readonly latencyMs: number }>;
  /** Services whose targets Prometheus itself has not been able to scrape for a minute. Throws as the client does. */
  targetsDown(abort: AbortSignal): Promise<readonly Gap[]>;
  /** Configured queries that cannot be evaluated by service, and why. */
  readonly problems: readonly { readonly metric: string; readonly because: string }[];
}

const SOURCE = "prometheus";
const FORM = "application/x-www-form-urlencoded";
/** Prometheus refuses more points a series in one answer (web/api/v1, "exceeded maximum resolution of 11,000 points"). */
const MAX_POINTS = 11_000;
/** Prometheus' default `scrape_timeout`: the longest that a scrape's samples can be on their way. */
const MAX_SETTLE_MS = 10_000;

/**
 * Series of one metric that are kept, of services and their versions: 1,000 services, each with the versions that it served
 * in two weeks, some 20 where it is deployed twice a working day, and five times as many.
 */
const MOST_SERIES = 100_000;
/**
 * Points of them together, gaps included. An answer of 64 MiB holds 2.4 million points of 28 bytes; where not every series
 * has one at each step (versions that have gone), three times as many. A longer window is read in pieces (`rangeInPieces`).
 */
const MOST_POINTS = 8_000_000;
/** What people can do about an answer that is too large. */
export const NARROW = "sum it by service and version in the query, and keep other labels out of both";

const BuildInfo = z.object({ data: z.object({ version: z.string() }) });

/** Metrics from Prometheus, or anything that speaks its HTTP API. */
export function createPrometheus(options: PrometheusOptions): PrometheusSource {
  const { http, clock, queries, serviceLabel = "service", versionLabel = "version" } = options;
  const note = options.note ?? (() => {});
  const plan: QueryPlan = planQueries({
    queries,
    serviceLabel,
    versionLabel,
    policyRange: options.policyRange ?? USUAL_RANGE,
  });
  let interval: Promise<number | null> | null = null;

  async function ask(where: Path, form: Record<string, string>, abort: AbortSignal): Promise<Answer> {
    const body = new URLSearchParams(form).toString();
    return (await http.send("POST", where, body, FORM, Answer, abort)).body;
  }

  /** Hands over each series as it comes. An answer that turns out not to be one throws in the end. */
  async function askSeries(
    where: Path,
    form: Record<string, string>,
    take: (series: RawSeries) => void,
    abort: AbortSignal,
  ): Promise<Answer> {
    const stream = createAnswerStream(take);
    await http.receive("POST", where, new URLSearchParams(form).toString(), FORM, stream.take, abort);
    const answer = stream.end();
    if (answer === null) throw new UnshipError("source.shape", { source: SOURCE });
    return answer;
  }

  function read(metric: string, answer: Answer): readonly RawSeries[] {
    for (const text of [...(answer.warnings ?? []), ...(answer.infos ?? [])]) note(metric, text);
    const series = seriesOf(answer);
    if (series === null) throw new UnshipError("source.shape", { source: SOURCE });
    return series;
  }

  /**
   * A point is final only once each scrape that began before it has ended: Prometheus gives samples the time at which
   * the scrape began and stores them when all have arrived. A rate read earlier lacks its newest samples and would be
   * seen as a dip that later is not there. So the newest points wait, one step at most (argoproj/argo-rollouts#3665).
   */
  function settledUntil(stepMs: number): number {
    return clock.now() - (options.settleMs ?? Math.min(stepMs, MAX_SETTLE_MS));
  }

  /** How often it scrapes; null where it does not say (as hosted ones do not), or has no target yet: then it is asked again. */
  async function scrapeInterval(abort: AbortSignal): Promise<number | null> {
    if (options.scrapeIntervalMs !== undefined) return options.scrapeIntervalMs;
    interval ??= http.getJson(path`/api/v1/targets?state=${"active"}`, ActiveTargets, abort).then(
      (targets) => {
        const found = usualInterval(targets);
        if (found === null) interval = null;
        return found;
      },
      (error: unknown) => {
        if (error instanceof UnshipError && error.retry) interval = null;
        return null;
      },
    );
    return await interval;
  }

  async function points(
    { query }: PlannedQuery,
    grid: Grid,
    asked: MetricQuery,
    take: (series: RawSeries) => void,
    abort: AbortSignal,
  ): Promise<void> {
    const answers: Answer[] = [];
    for (let first = 0; first < grid.count; first += MAX_POINTS) {
      const last = Math.min(first + MAX_POINTS, grid.count) - 1;
      const at = (index: number) => seconds(grid.startAt + index * grid.stepMs);
      const form = { query, start: at(first), end: at(last), step: seconds(grid.stepMs) };
      answers.push(await askSeries(path`/api/v1/query_range`, form, take, abort));
    }
    if (answers.some(isPartial)) asked.lacks?.(lackOf(`${SOURCE} storage`, asked));
    // Whatever else may stand in an answer in place of series.
    for (const answer of answers) read(asked.metric, answer).forEach(take);
  }

  async function range(asked: MetricQuery, abort: AbortSignal): Promise<readonly Series[]> {
    const { metric, window, stepMs, purpose } = asked;
    if (!plan.metrics.includes(metric)) {
      throw new UnshipError("metric.unknown", { metric, known: plan.metrics.join(", ") });
    }
    const grid = gridOf(window, stepMs, settledUntil(stepMs));
    if (grid.count === 0) return [];
    const planned =
      purpose === "policy"
        ? plan.policy(metric)
        : plan.statistics(metric, stepMs + ((await scrapeInterval(abort)) ?? stepMs));
    if (!planned.ok) {
      note(metric, planned.because);
      return [];
    }
    const given = queries[metric] ?? { unit: "", worse: "either" as const };
    const { unit, worse } = meaningOf(metric, given);
    const found = createFound(grid, (limit) => {
      throw new UnshipError("source.too_large", { source: SOURCE, limit, narrow: NARROW });
    });
    let unnamed = 0;
    const take = ({ metric: labels, points: samples }: RawSeries): void => {
      const service = labels[serviceLabel];
      if (service === undefined || service === "") {
        unnamed += 1;
        return;
      }
      const values = found.valuesOf(service, labels[versionLabel]);
      for (const [at, text] of samples) {
        const index = Math.round((at * 1000 - grid.startAt) / stepMs);
        const value = sampleValue(text);
        // An infinite sample is handed on as it came: whoever believes samples takes it as missing, and says so.
        if (index >= 0 && index < grid.count) values[index] = value === null ? Number.NaN : value * planned.scale;
      }
    };
    await points(planned, grid, asked, take, abort);
    if (unnamed > 0) note(metric, `${unnamed} series have no label ${serviceLabel}: they belong to no service`);
    return withVersionsThatServe(
      found.all.map(({ service, version, values }) => ({
        service,
        metric,
        unit,
        worse,
        labels: version === undefined ? WHOLE : { version },
        startAt: grid.startAt,
        stepMs,
        values: values.some(Number.isNaN) ? values.map((value) => (Number.isNaN(value) ? null : value)) : values,
      })),
    );
  }

  async function instant(query: string, metric: string, abort: AbortSignal): Promise<readonly RawSeries[]> {
    return read(metric, await ask(path`/api/v1/query`, { query, time: seconds(clock.now()) }, abort));
  }

  return {
    name: SOURCE,
    metrics: () => plan.metrics,
    problems: plan.problems,
    range,
    async targetsDown(abort) {
      // Down now and for the whole minute: a process that ends or starts is none.
      const query = `count by (${serviceLabel}) (up{${serviceLabel}!=""} == 0 and max_over_time(up{${serviceLabel}!=""}[1m]) == 0)`;
      const down = read("up", await ask(path`/api/v1/query`, { query, time: seconds(clock.now()) }, abort));
      return down.map(({ metric: labels, points: [point] }) => ({
        of: "targets",
        how: "partial",
        services: [labels[serviceLabel] ?? ""],
        source: SOURCE,
        what: `targets of ${labels[serviceLabel] ?? ""}`,
        because: `${sampleValue(point?.[1] ?? "") ?? "some"} of its targets cannot be scraped`,
      }));
    },
    async present(metric, abort) {
      const planned = plan.policy(metric);
      const own = queries[metric]?.query ?? (planned.ok ? planned.query : "");
      const scale = queries[metric]?.scale ?? (planned.ok ? planned.scale : 1);
      const first = (series: RawSeries) => sampleValue(series.points[0]?.[1] ?? "");
      const values = (await instant(own, metric, abort)).map(first).filter((value) => value !== null);
      const byService = planned.ok ? await instant(planned.query, metric, abort) : [];
      const { unit } = meaningOf(metric, { unit: queries[metric]?.unit ?? "", worse: "either" });
      return {
        metric,
        query: own,
        unit,
        overall: values.length === 0 ? null : Math.max(...values) * scale,
        byService: Object.fromEntries(
          byService.map((series) => [series.metric[serviceLabel] ?? "", scaled(first(series), scale)]),
        ),
        notByService: planned.ok ? null : planned.because,
      };
    },
    async ping(abort) {
      const begun = clock.now();
      const { data } = await http.getJson(path`/api/v1/status/buildinfo`, BuildInfo, abort);
      return { version: data.version, latencyMs: clock.now() - begun };
    },
  };
}

/** Labels of a service as a whole, the same for all: there are tens of thousands. */
const WHOLE: Series["labels"] = {};

interface Found {
  readonly service: string;
  readonly version: string | undefined;
  /** One a point of the grid; NaN is missing. */
  readonly values: number[];
}

/** What was found of each service and version, in the order in which they came; `tooMany` hears which bound is passed. */
function createFound({ count }: Grid, tooMany: (limit: string) => never) {
  const all: Found[] = [];
  const whole = new Map<string, Found>();
  const versions = new Map<string, Map<string, Found>>();
  return {
    all,
    valuesOf(service: string, version: string | undefined): number[] {
      let byVersion = versions.get(service);
      const known = version === undefined ? whole.get(service) : byVersion?.get(version);
      if (known !== undefined) return known.values;
      if (all.length >= MOST_SERIES) tooMany(`${countText(MOST_SERIES)} series of services and versions`);
      if ((all.length + 1) * count > MOST_POINTS) tooMany(`${countText(MOST_POINTS)} points in its series`);
      const one = { service, version, values: new Array<number>(count).fill(Number.NaN) };
      all.push(one);
      if (version === undefined) whole.set(service, one);
      else {
        byVersion ??= new Map();
        versions.set(service, byVersion.set(version, one));
      }
      return one.values;
    },
  };
}

/** Series by version are of use while two serve; one version alone is the whole service again. */
function withVersionsThatServe(all: readonly Series[]): readonly Series[] {
  const some = all.filter(({ values }) => values.some((value) => value !== null));
  const versions = Map.groupBy(
    some.filter(({ labels }) => labels.version !== undefined),
    ({ service }) => service,
  );
  return some.filter(({ service, labels }) => labels.version === undefined || (versions.get(service)?.length ?? 0) > 1);
}

function scaled(value: number | null, scale: number): number | null {
  return value === null ? null : value * scale;
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(3);
}
