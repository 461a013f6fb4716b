import { isMap } from "../../core/config/checks/check.ts";
import type { Config } from "../../core/config/config.ts";
import type { MetricFamily, SeenWorkload } from "../../core/config/derive/evidence.ts";
import { rankRequests } from "../../core/config/derive/request-metrics.ts";
import { judgeServiceLabel, judgeVersionLabel, type LabelJudged } from "../../core/config/proof/labels.ts";
import { namedIn } from "../../core/config/proof/named.ts";
import { matchNames, type Seen, type Told } from "../../core/config/proof/unmatched.ts";
import { UnshipError } from "../../core/errors.ts";
import { queryFacts } from "../../mcp-tools/connectors/prometheus/query-facts.ts";
import { failed, judgedMetrics, type ProvenQueries, proveQueries } from "./prove-queries.ts";
import { readFamily } from "./read-families.ts";
import type { SourceReport, Tells } from "./system-parts.ts";

const NO_QUERIES: ProvenQueries = { reports: [], unnamed: [] };
/** So many names are listed; the rest is counted. */
const LISTED = 5;

/**
 * Holds what the file says against what the live sources tell: every name of a service, workload, namespace, application and
 * flag, the labels of services and versions, and each metric that a policy judges. A source that does not answer fails
 * nothing here (`report` says that it is down): what it would tell is unknown, and that is said.
 */
export async function prove(
  config: Config,
  raw: unknown,
  tells: Tells,
  abort: AbortSignal,
): Promise<readonly SourceReport[]> {
  const workloads = await all(tells.workloads, abort);
  const [metrics] = tells.metrics;
  const queries =
    metrics === undefined
      ? NO_QUERIES
      : await proveQueries(config, raw, metrics, abort).catch((error: unknown) => {
          if (!(error instanceof UnshipError)) throw error;
          const text = `metrics of policies are not proven: ${error.message}`;
          return { reports: [{ ok: true, caution: true, text } as const], unnamed: [] };
        });
  const family = metrics === undefined ? null : await requestFamily(config, metrics, abort).catch(() => null);
  const labels = family === null ? [] : proveLabels(config, raw, family, workloads);
  // Under a wrong label nobody can be named: that is said of the label, once, and not of every service.
  const isLabelWrong = labels.some(({ trouble }) => trouble?.path[0] === "service_label");
  const seen: Seen = {
    metrics: isLabelWrong ? { state: "unknown" } : metricServices(config, family, tells),
    workloads:
      workloads === "absent" || workloads === "unknown"
        ? { state: workloads }
        : { state: "known", all: workloads, inNamespaces: watchedNamespaces(config) },
    namespaces: await told(tells.namespaces, abort),
    applications: await told(tells.applications, abort),
    flags: await told(tells.flags, abort),
  };
  const echoes = isLabelWrong ? [] : queries.unnamed;
  return [...queries.reports, ...echoes, ...labels, ...proveNames(config, raw, seen), ...meeting(seen)];
}

const watchedNamespaces = ({ dataSources }: Config): readonly string[] =>
  dataSources.deployments.flatMap((source) => (source.type === "kubernetes" ? source.namespaces : []));

/** Values of the service label; unknown where the metrics do not tell, or are scraped here and hold nothing yet. */
function metricServices({ serviceLabel }: Config, family: MetricFamily | null, tells: Tells): Told {
  if (tells.metrics.length === 0 || family === null) return { state: "unknown" };
  const spread = family.spreads.find(({ label }) => label === serviceLabel);
  if (spread === undefined) return { state: "unknown" };
  return { state: "known", names: spread.values.map(({ value }) => value) };
}

/** The metric that counts requests, or else any that a policy's query names: on it services and versions are told apart. */
async function requestFamily(
  config: Config,
  { catalogue }: Tells["metrics"][number],
  abort: AbortSignal,
): Promise<MetricFamily | null> {
  const { NAMES } = await import("../../mcp-tools/connectors/metric-conventions.ts");
  const { queries } = config.dataSources.metrics;
  const judged = [...judgedMetrics(config).keys()].filter((metric) => Object.hasOwn(queries, metric));
  const own = [...judged, ...Object.keys(queries)].flatMap(
    (metric) => queryFacts(queries[metric]?.query ?? "")?.selectors.flatMap(({ metric: name }) => name ?? []) ?? [],
  );
  const families: MetricFamily[] = [];
  for (const name of [...new Set([...own, NAMES.requests])]) {
    const family = await readFamily(catalogue, name, abort);
    if (family !== null) families.push(family);
  }
  const [first] = families;
  return (
    rankRequests(families, null).find(({ family, errors }) => errors !== null && own.includes(family.name))?.family ??
    first ??
    null
  );
}

function proveLabels(
  config: Config,
  raw: unknown,
  family: MetricFamily,
  workloads: readonly SeenWorkload[] | "absent" | "unknown",
): readonly SourceReport[] {
  const isWritten = (key: string) => isMap(raw) && Object.hasOwn(raw, key);
  const described = Object.keys(config.services).map((service) => ({
    kind: "",
    namespace: "",
    name: service,
    service,
    version: "",
  }));
  const known = typeof workloads === "string" ? described : [...workloads];
  return [
    judgeServiceLabel(
      { name: config.serviceLabel, isWritten: isWritten("service_label") },
      family,
      known.length === 0 ? null : known,
    ),
    judgeVersionLabel({ name: config.versionLabel, isWritten: isWritten("version_label") }, family, known),
  ].map(reportOf);
}

function reportOf(judged: LabelJudged): SourceReport {
  if (judged.ok === null) return { ok: true, caution: true, text: judged.caution };
  return judged.ok ? { ok: true, text: judged.text } : failed(judged.trouble);
}

function proveNames(config: Config, raw: unknown, seen: Seen): readonly SourceReport[] {
  const named = namedIn(config, raw);
  const { troubles, untold, found } = matchNames(named, seen);
  const distinct = [...new Set(untold.map(({ kind, name }) => `${kind === "any" ? "name" : kind} ${name}`))];
  const unsaid =
    distinct.length === 0
      ? []
      : [
          {
            ok: true,
            caution: true,
            text: `cannot tell whether these exist, since nobody who would know has answered: ${listed(distinct)}`,
          } as const,
        ];
  const exist =
    found === 0
      ? []
      : [{ ok: true, text: `${found} ${found === 1 ? "name of the file exists" : "names of the file exist"}` }];
  return [...troubles.map(failed), ...exist, ...unsaid];
}

/** Which services have both metrics and a workload: of the others unship sees one half alone. */
function meeting({ metrics, workloads }: Seen): readonly SourceReport[] {
  if (metrics.state !== "known" || workloads.state !== "known") return [];
  const running = new Set(workloads.all.map(({ service }) => service));
  const measured = new Set(metrics.names);
  const both = [...measured].filter((name) => running.has(name));
  const onlyMeasured = [...measured].filter((name) => !running.has(name));
  const onlyRunning = [...running].filter((name) => !measured.has(name));
  return [
    {
      ok: true,
      text: `${both.length} ${both.length === 1 ? "service has" : "services have"} metrics and a workload${both.length === 0 ? "" : `: ${listed(both)}`}`,
    },
    ...(onlyMeasured.length === 0
      ? []
      : [
          {
            ok: true,
            caution: true,
            text: `metrics without a workload, so that no deploy of theirs is seen: ${listed(onlyMeasured)}`,
          } as const,
        ]),
    ...(onlyRunning.length === 0
      ? []
      : [
          {
            ok: true,
            caution: true,
            text: `workloads without metrics, judged by their pods' readiness alone: ${listed(onlyRunning)}`,
          } as const,
        ]),
  ];
}

const listed = (names: readonly string[]): string =>
  `${names.slice(0, LISTED).join(", ")}${names.length > LISTED ? ` and ${names.length - LISTED} more` : ""}`;

type Ask<T> = (abort: AbortSignal) => Promise<readonly T[] | null>;

/** What all of them tell together; unknown where one does not. */
async function all<T>(asks: readonly Ask<T>[], abort: AbortSignal): Promise<readonly T[] | "absent" | "unknown"> {
  if (asks.length === 0) return "absent";
  const answers = await Promise.allSettled(asks.map((ask) => ask(abort)));
  const found: T[] = [];
  for (const answer of answers) {
    if (answer.status === "rejected" && !(answer.reason instanceof UnshipError)) throw answer.reason;
    if (answer.status === "rejected" || answer.value === null) return "unknown";
    found.push(...answer.value);
  }
  return found;
}

async function told(asks: readonly Ask<string>[], abort: AbortSignal): Promise<Told> {
  const names = await all(asks, abort);
  if (typeof names === "string") return { state: names };
  // A server that lists nothing at all has not told what there is.
  return names.length === 0 ? { state: "unknown" } : { state: "known", names };
}
