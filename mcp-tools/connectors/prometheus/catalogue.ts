import { z } from "zod";
import { UnshipError } from "../../../core/errors.ts";
import type { Clock } from "../../../core/ports.ts";
import { type Http, path } from "../http.ts";
import { Answer, type RawSeries, sampleValue, seriesOf } from "./answer.ts";
import { labelText } from "./syntax.ts";

/** How far back names of metrics, labels and values are looked for: what ran yesterday and is quiet now exists, too. */
const LOOK_BACK_MS = 24 * 3_600_000;
/** No label that names services or versions has more values: 1,000 services with 20 versions each, and as many again. */
const MOST_VALUES = 40_000;
/** Names in one query: a URL-encoded body stays far below the servers' limits. */
const NAMES_AT_ONCE = 50;
const FORM = "application/x-www-form-urlencoded";
const Names = z.object({ data: z.array(z.string()) });

export interface SpreadOfLabel {
  readonly label: string;
  readonly values: readonly { readonly value: string; readonly series: number }[];
  readonly without: number;
  readonly onePerProcess: boolean | null;
}

/** What a Prometheus holds: which metrics, labels and values there are. All of it throws as the client does. */
export interface Catalogue {
  /** Names of all metrics of the last day. */
  metricNames(abort: AbortSignal): Promise<readonly string[]>;
  /** Names of the labels on the series that a selector fits; null: on any. */
  labelNames(selector: string | null, abort: AbortSignal): Promise<readonly string[]>;
  labelValues(label: string, abort: AbortSignal): Promise<readonly string[]>;
  /** Of each metric that has series now: how many, and of how many scraped processes. */
  counts(
    metrics: readonly string[],
    abort: AbortSignal,
  ): Promise<ReadonlyMap<string, { readonly series: number; readonly targets: number }>>;
  /** The values of a label on the series of a metric now; null where there are more than any service label has. */
  spread(metric: string, label: string, abort: AbortSignal): Promise<SpreadOfLabel | null>;
  /** One number: what an expression of one series yields now; null where it yields nothing, or no number. */
  value(query: string, abort: AbortSignal): Promise<number | null>;
  /** All series that an expression yields now. */
  vector(query: string, abort: AbortSignal): Promise<readonly RawSeries[]>;
}

/** @see https://prometheus.io/docs/prometheus/latest/querying/api/#querying-metadata */
export function createCatalogue({ http, clock }: { readonly http: Http; readonly clock: Clock }): Catalogue {
  const since = () => seconds(clock.now() - LOOK_BACK_MS);

  async function vector(query: string, abort: AbortSignal): Promise<readonly RawSeries[]> {
    const body = new URLSearchParams({ query, time: seconds(clock.now()) }).toString();
    const answer = (await http.send("POST", path`/api/v1/query`, body, FORM, Answer, abort)).body;
    const series = seriesOf(answer);
    if (series === null) throw new UnshipError("source.shape", { source: http.source });
    return series;
  }

  async function value(query: string, abort: AbortSignal): Promise<number | null> {
    const [series] = await vector(query, abort);
    return numberOf(series);
  }

  return {
    vector,
    value,
    async metricNames(abort) {
      return (await http.getJson(path`/api/v1/label/__name__/values?start=${since()}`, Names, abort)).data;
    },
    async labelNames(selector, abort) {
      const where =
        selector === null
          ? path`/api/v1/labels?start=${since()}`
          : path`/api/v1/labels?start=${since()}&match[]=${selector}`;
      return (await http.getJson(where, Names, abort)).data;
    },
    async labelValues(label, abort) {
      return (await http.getJson(path`/api/v1/label/${label}/values?start=${since()}`, Names, abort)).data;
    },
    async counts(metrics, abort) {
      const found = new Map<string, { series: number; targets: number }>();
      for (let at = 0; at < metrics.length; at += NAMES_AT_ONCE) {
        const some = `{__name__=~${JSON.stringify(
          metrics
            .slice(at, at + NAMES_AT_ONCE)
            .map(escaped)
            .join("|"),
        )}}`;
        const [series, targets] = await Promise.all([
          vector(`count by (__name__) (${some})`, abort),
          vector(`count by (__name__) (count by (__name__, job, instance) (${some}))`, abort),
        ]);
        const byName = new Map(targets.map((one) => [one.metric.__name__, numberOf(one) ?? 0]));
        for (const one of series) {
          const name = one.metric.__name__ ?? "";
          found.set(name, { series: numberOf(one) ?? 0, targets: byName.get(name) ?? 0 });
        }
      }
      return found;
    },
    async spread(metric, label, abort) {
      const [of, by] = [selectorOf(metric), labelText(label)];
      const all = await vector(`topk(${MOST_VALUES + 1}, count by (${by}) (${of}))`, abort);
      if (all.length > MOST_VALUES) return null;
      const counted = all.map((one) => ({ value: one.metric[label] ?? "", series: numberOf(one) ?? 0 }));
      const perProcess =
        label === "instance" || label === "job"
          ? null
          : await value(
              `max(count by (job, instance) (count by (job, instance, ${by}) (${selectorOf(metric, [`${by}!=""`, 'instance!=""'])})))`,
              abort,
            );
      return {
        label,
        values: counted
          .filter((one) => one.value !== "")
          .sort((a, b) => b.series - a.series || a.value.localeCompare(b.value)),
        without: counted.find((one) => one.value === "")?.series ?? 0,
        onePerProcess: label === "job" ? true : perProcess === null ? null : perProcess === 1,
      };
    },
  };
}

/** The series of a metric, whatever characters its name has, that these matchers fit. */
export function selectorOf(metric: string, matchers: readonly string[] = []): string {
  const isPlain = /^[a-zA-Z_:][\w:]*$/.test(metric);
  const all = [...(isPlain ? [] : [`__name__=${JSON.stringify(metric)}`]), ...matchers];
  return `${isPlain ? metric : ""}${all.length === 0 ? "" : `{${all.join(",")}}`}`;
}

/** A name as a regular expression that fits it alone. @see https://github.com/google/re2/wiki/Syntax */
const escaped = (name: string): string => name.replaceAll(/[\\.+*?()|[\]{}^$]/g, String.raw`\$&`);

const numberOf = (series: RawSeries | undefined): number | null => sampleValue(series?.points[0]?.[1] ?? "");

const seconds = (ms: number): string => (ms / 1000).toFixed(3);
