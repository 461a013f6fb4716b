import { isMap, mapAt } from "../../core/config/checks/check.ts";
import type { Config } from "../../core/config/config.ts";
import { didYouMean, nearest } from "../../core/config/nearest.ts";
import { pathText, type Trouble } from "../../core/config/variables.ts";
import { type Path, shown } from "../../core/config/yaml-tree.ts";
import type { Catalogue } from "../../mcp-tools/connectors/prometheus/catalogue.ts";
import type { PrometheusSource } from "../../mcp-tools/connectors/prometheus/prometheus.ts";
import { promqlFault, queryFacts, type SelectorFacts } from "../../mcp-tools/connectors/prometheus/query-facts.ts";
import { isRefusedQuery } from "./live-metrics.ts";
import type { SourceReport } from "./system-parts.ts";

/** A query with the place where it stands in the file. `at`: characters of it count only where the file has it unchanged. */
interface Placed {
  readonly metric: string;
  readonly query: string;
  readonly path: Path;
  readonly isAsWritten: boolean;
}

/** Queries of the file that are no PromQL, each at the character from which on. Asks nobody. */
export function unreadableQueries(config: Config, raw: unknown): readonly Trouble[] {
  if (config.dataSources.metrics.type !== "prometheus") return [];
  return placedQueries(config, raw).flatMap((placed) => {
    const fault = promqlFault(placed.query);
    if (fault === null) return [];
    const message = `is no PromQL from character ${fault.at + 1} on: ${fault.because}`;
    return [troubleIn(placed, fault.at, message, "close every bracket and quote, and try it in Prometheus' own page")];
  });
}

function placedQueries({ dataSources }: Config, raw: unknown): readonly Placed[] {
  const written = mapAt(raw, "data_sources", "metrics", "queries");
  return Object.entries(dataSources.metrics.queries).map(([metric, { query }]) => {
    const entry = written[metric];
    const path: Path = ["data_sources", "metrics", "queries", metric, ...(isMap(entry) ? ["query"] : [])];
    return { metric, query, path, isAsWritten: (isMap(entry) ? entry.query : entry) === query };
  });
}

function troubleIn({ path, isAsWritten }: Placed, inside: number, message: string, hint: string): Trouble {
  const trouble = { path, at: "value", message: `${pathText(path)} ${message}`, hint } as const;
  return isAsWritten ? { ...trouble, inside } : trouble;
}

/** Metrics that policies judge, each with the first condition that names it. Readiness comes from Kubernetes where it is a source. */
export function judgedMetrics({ policies, dataSources }: Config): ReadonlyMap<string, Path> {
  const found = new Map<string, Path>();
  const byPods = dataSources.deployments.some(({ type }) => type === "kubernetes");
  for (const { name, conditions } of policies) {
    conditions.forEach((condition, index) => {
      const at: Path = ["rollback_policies", name, "conditions", index];
      const [metric, path]: readonly [string, Path] =
        condition.kind === "threshold"
          ? [condition.metric, [...at, "metric"]]
          : condition.kind === "regression"
            ? [condition.metric, [...at, "regression", "metric"]]
            : ["health_check_failures", [...at, "health_check_failures"]];
      if (condition.kind === "health" && byPods) return;
      if (!found.has(metric)) found.set(metric, path);
    });
  }
  return found;
}

export interface ProvenQueries {
  readonly reports: readonly SourceReport[];
  /** Failures of metrics whose series lack the service label: where that is wrong itself they are its echoes. */
  readonly unnamed: readonly SourceReport[];
}

/**
 * Holds every query of the file against the server: that each metric and label in it exists, and that each metric which a
 * policy judges yields something. What has no series because nothing failed is told, with how that is read. Throws as the
 * catalogue does.
 */
export async function proveQueries(
  config: Config,
  raw: unknown,
  { prometheus, catalogue }: { readonly prometheus: PrometheusSource; readonly catalogue: Catalogue },
  abort: AbortSignal,
): Promise<ProvenQueries> {
  const placed = placedQueries(config, raw).filter(({ query }) => promqlFault(query) === null);
  const names = placed.length === 0 ? [] : await catalogue.metricNames(abort);
  const reports: SourceReport[] = [];
  const unnamed: SourceReport[] = [];
  const broken = new Set<string>();
  for (const one of placed) {
    const troubles = await unknownIn(one, names, catalogue, abort);
    if (troubles.length > 0) broken.add(one.metric);
    reports.push(...troubles.map(failed));
  }
  const wrong = new Set(unreadableQueries(config, raw).map(({ path }) => path[3]));
  for (const [metric, path] of judgedMetrics(config)) {
    if (broken.has(metric) || wrong.has(metric)) continue;
    const own = placed.find((one) => one.metric === metric);
    const yielded = await yields(metric, own ?? null, path, { config, prometheus, catalogue }, abort);
    reports.push(...yielded.filter(({ isUnnamed }) => isUnnamed !== true));
    unnamed.push(...yielded.filter(({ isUnnamed }) => isUnnamed === true));
  }
  return { reports, unnamed };
}

/** Metrics and labels in a query that no series of the last day has. */
async function unknownIn(
  placed: Placed,
  names: readonly string[],
  catalogue: Catalogue,
  abort: AbortSignal,
): Promise<readonly Trouble[]> {
  const facts = queryFacts(placed.query);
  if (facts === null) return [];
  const { selectorOf } = await import("../../mcp-tools/connectors/prometheus/catalogue.ts");
  const labels = new Map<string, readonly string[]>();
  const labelsOf = async (metric: string) => {
    const known = labels.get(metric) ?? (await catalogue.labelNames(selectorOf(metric), abort));
    labels.set(metric, known);
    return known;
  };
  const troubles: Trouble[] = [];
  const said = new Set<string>();
  const say = (key: string, trouble: Trouble) => {
    if (!said.has(key)) troubles.push(trouble);
    said.add(key);
  };
  for (const { metric, from, needs } of facts.selectors) {
    if (metric === null) continue;
    if (!names.includes(metric)) {
      const near = nearest(metric, names);
      const hint =
        near === null
          ? "write a metric that this Prometheus has; unship init lists those that fit"
          : `did you mean ${near}?`;
      say(
        metric,
        troubleIn(placed, from, `asks for ${shown(metric)}, of which Prometheus has had no series for a day`, hint),
      );
      continue;
    }
    const known = await labelsOf(metric);
    for (const { label, from: at } of needs) {
      if (known.includes(label)) continue;
      const message = `asks for the label ${shown(label)}, which no series of ${metric} has`;
      say(`${metric} ${label}`, troubleIn(placed, at, message, didYouMean(label, visible(known))));
    }
  }
  for (const { label, from, metrics } of facts.groupings) {
    const known = (await Promise.all(metrics.filter((one) => names.includes(one)).map(labelsOf))).flat();
    if (known.length === 0 || known.includes(label)) continue;
    const message = `groups by the label ${shown(label)}, which no series of ${metrics.join(", ")} has`;
    say(`by ${label}`, troubleIn(placed, from, message, didYouMean(label, visible(known))));
  }
  return troubles;
}

const visible = (labels: readonly string[]): readonly string[] =>
  [...new Set(labels)].filter((one) => !one.startsWith("__"));

interface Asked {
  readonly config: Config;
  readonly prometheus: PrometheusSource;
  readonly catalogue: Catalogue;
}

/** Whether a metric that a policy judges has values, and what the absence of failures means for it. */
async function yields(
  metric: string,
  own: Placed | null,
  condition: Path,
  { config, prometheus, catalogue }: Asked,
  abort: AbortSignal,
): Promise<readonly (SourceReport & { readonly isUnnamed?: true })[]> {
  const path = own?.path ?? condition;
  const place = pathText(path);
  let present: Awaited<ReturnType<PrometheusSource["present"]>>;
  try {
    present = await prometheus.present(metric, abort);
  } catch (error) {
    // One of the file's own is reported where sources are asked.
    if (!isRefusedQuery(error)) throw error;
    if (own !== null) return [];
    return [
      failed({ path, at: "value", message: `${place}: ${error.message}`, hint: "write a query of your own for it" }),
    ];
  }
  const services = Object.keys(present.byService).filter((name) => name !== "");
  const empty = own === null ? [] : await emptySelectors(own.query, catalogue, abort);
  if (services.length > 0) {
    const absent = empty.map(
      ({ text }) =>
        `no series matches ${text} now: for the ${services.length} ${services.length === 1 ? "service" : "services"} with requests that is read as no failures (0)`,
    );
    const valued = services.filter((name) => present.byService[name] !== null).length;
    const idle =
      valued === 0
        ? [
            "it has no value now for any service, as where nobody sends requests; missing values are unknown, neither good nor bad",
          ]
        : [];
    return [...absent, ...idle].map((text) => ({ ok: true, text: `${metric}: ${text}` }));
  }
  if (present.notByService !== null) {
    return [
      failed({
        path,
        at: "value",
        message: `${place} cannot be distinguished by service: ${present.notByService}`,
        hint: "sum by labels, or over all series: unship adds the service label by itself",
      }),
    ];
  }
  const unnamed = Object.keys(present.byService).length > 0;
  if (unnamed) {
    const message = `${place}: no series of ${metric} has the label ${config.serviceLabel}, so that its values belong to no service`;
    return [{ ...failed({ path, at: "value", message, hint: "see service_label" }), isUnnamed: true }];
  }
  const what = own === null ? `the default query of ${metric}` : (empty[0]?.text ?? `the query of ${metric}`);
  const message = `${place}: no series matches ${what}, so that ${metric} has no value for any service`;
  const reading =
    empty[0]?.hasMatchers === true
      ? 'absent failures are read as 0 only where the query is a share of one metric (sum(rate(x{…}[5m])) / sum(rate(x[5m]))), or says "or vector(0)"'
      : own === null
        ? `write a query under data_sources.metrics.queries.${metric}; unship init finds the metrics that fit`
        : "write a metric that this Prometheus has";
  return [failed({ path, at: "value", message, hint: reading })];
}

/** Parts of a query that select nothing now. */
async function emptySelectors(
  query: string,
  catalogue: Catalogue,
  abort: AbortSignal,
): Promise<readonly SelectorFacts[]> {
  const distinct = new Map((queryFacts(query)?.selectors ?? []).map((one) => [one.text, one]));
  const found: SelectorFacts[] = [];
  for (const one of distinct.values()) {
    if ((await catalogue.value(`count(${one.text})`, abort)) === null) found.push(one);
  }
  return found;
}

export const failed = (trouble: Trouble): SourceReport => ({ ok: false, text: trouble.message, trouble });
