import { WELL_KNOWN_METRICS } from "../../model/signal.ts";
import type {
  Config,
  DeploymentsSource,
  FlagsSource,
  LogsSource,
  MigrationsSource,
  QueryConfig,
  SecretRef,
} from "../config.ts";
import { formatDuration } from "../durations.ts";
import { argumentAsWritten } from "../filled.ts";
import { scaleOfConfigured, unitOfConfigured, unitOfMetric, unitOfQuery } from "../units.ts";
import { listed, plural, type Section, under } from "./words.ts";

const NO_CONNECTOR = "no connector yet in this version: what it would say is unknown";

/** Where signals, changes, logs, traces and flags come from, and what is missing without each. */
export function explainSources(config: Config): Section {
  const { deployments, logs, traces, featureFlags, migrations } = config.dataSources;
  return {
    heading: "What it sees",
    lines: [
      ...metricsLines(config),
      ...(deployments.length === 0
        ? ["Changes: no source. No deploy can be found to be the culprit, so none is ever rolled back."]
        : deployments.flatMap(deploymentsLines)),
      ...(logs === null ? ["Logs: no source. Log lines are no evidence."] : logsLines(logs)),
      traces === null
        ? `Traces: no source. ${callGraphWords(config)}`
        : `Traces: ${traces.type} at ${traces.endpoint}.`,
      ...migrations.flatMap((one) => migrationLines(one, config.filled)),
      ...(featureFlags === null
        ? ["Flags: no source. No flag can be found to be the culprit."]
        : flagsLines(featureFlags)),
    ],
  };
}

/** Where the call graph comes from without traces. */
function callGraphWords({ topology, dataSources: { metrics, deployments } }: Config): string {
  const learned = [
    ...(metrics.type === "prometheus" ? ["mesh metrics in Prometheus"] : []),
    ...(deployments.some(({ type }) => type === "kubernetes") ? ["addresses in pod templates"] : []),
  ];
  const beside = learned.length === 0 ? "" : `${listed(learned)}, as far as they tell`;
  if (topology !== null) return `Who calls whom is as topology says${beside === "" ? "" : `, and ${beside}`}.`;
  return beside === "" ? "Who calls whom is unknown." : `Who calls whom is learned from ${beside}.`;
}

function metricsLines(config: Config): readonly string[] {
  const { metrics } = config.dataSources;
  const usual = Object.keys(WELL_KNOWN_METRICS).filter((name) => !Object.hasOwn(metrics.queries, name));
  if (metrics.type === "prometheus") {
    return [
      `Metrics: Prometheus at ${metrics.endpoint}${secretWords(metrics.token)}, every ${formatDuration(config.watch.stepMs)}.`,
      ...under([
        ...Object.entries(metrics.queries).flatMap(([metric, query]) => queryLines(metric, query, config.serviceLabel)),
        ...(usual.length === 0
          ? []
          : [
              `${listed(usual)}: the default ${usual.length === 1 ? "query" : "queries"}, from Prometheus' conventional names, by ${config.serviceLabel}.`,
            ]),
      ]),
    ];
  }
  const { targets, discovery, intervalMs, windowMs, spool } = metrics;
  const pages = [
    ...(targets.length === 0 ? [] : [plural(targets.length, "page")]),
    ...(discovery === null ? [] : [`those that ${discovery} lists`]),
  ];
  return [
    `Metrics: unship scrapes ${listed(pages)} itself every ${formatDuration(intervalMs)}, without a Prometheus.`,
    ...under([
      `It keeps ${formatDuration(windowMs)}${spool === null ? " in memory: a restart forgets it" : `, also in ${spool}: a restart does not forget it`}.`,
      ...Object.entries(metrics.queries).map(
        ([metric, query]) => `${metric}: your query; ${meaningWords(metric, query)}.`,
      ),
      ...(usual.length === 0
        ? []
        : [`${listed(usual)}: derived from what the pages export under Prometheus' conventional names.`]),
    ]),
  ];
}

function queryLines(metric: string, query: QueryConfig, serviceLabel: string): readonly string[] {
  const rewritten = namesLabel(query.query, serviceLabel)
    ? `It names the label ${serviceLabel}, so it already tells services apart.`
    : `It does not name the label ${serviceLabel}: it is rewritten to be asked for all services at once, grouped by ${serviceLabel}.`;
  return [`${metric}: your query; ${meaningWords(metric, query)}.`, ...under([rewritten])];
}

/** In which unit a query's values are taken, why, and what becomes of them. */
function meaningWords(metric: string, query: QueryConfig): string {
  const unit = unitOfConfigured(metric, query);
  if (unit === null) return "its values have no unit that unship knows";
  const own = unitOfMetric(metric);
  const scale = scaleOfConfigured(metric, query);
  const named = unitOfQuery(query.query) === null ? "" : " (by the names in it)";
  const source = query.unit === null ? named : " (as the file says)";
  if (own !== null && scale !== 1)
    return `it yields ${unit}${source}, turned into ${own}: times ${Number(scale.toPrecision(6))}`;
  return `its values are taken as ${unit === "ratio" ? "a ratio from 0 to 1" : unit}${source}`;
}

/** Whether a query groups by a label or selects on it, as far as its text tells; strings do not count. */
function namesLabel(query: string, label: string): boolean {
  const code = query.replaceAll(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/g, '""');
  return new RegExp(`\\bby\\s*\\([^)]*\\b${label}\\b|\\{[^}]*\\b${label}\\s*(=|!)`).test(code);
}

function deploymentsLines(source: DeploymentsSource): readonly string[] {
  if (source.type === "argocd_webhook") {
    const { endpoint, token, repositories } = source;
    const account = token === null ? ", without a token" : secretWords(token);
    const clones = repositories.map(({ path }) => path);
    return [
      `Changes: syncs of Argo CD's applications, at ${endpoint}${account}.`,
      ...under([
        clones.length === 0
          ? "After a rollback the revert in Git is yours: no clone of a repository is configured."
          : `After a rollback the revert in Git is prepared on a branch in ${listed(clones)}; it is not pushed.`,
      ]),
    ];
  }
  const { kubeconfig, context, namespaces } = source;
  const where = kubeconfig === null ? "the account of the pod that unship runs in" : kubeconfig;
  const scope = namespaces.includes("*") ? "all namespaces" : listed(namespaces);
  return [
    `Changes: rollouts in Kubernetes, ${scope}, through ${where}${context === null ? "" : `, context ${context}`}.`,
  ];
}

function logsLines(logs: LogsSource): readonly string[] {
  if (logs.type === "jsonl") return [`Logs: files of JSON lines, ${listed(logs.paths)}.`];
  return [`Logs: ${logs.type} at ${logs.endpoint}, ${logs.indexPattern}${secretWords(logs.apiKey)}: ${NO_CONNECTOR}.`];
}

function migrationLines(source: MigrationsSource, filled: Config["filled"]): readonly string[] {
  const { name, service, everyMs } = source;
  const asSaid = (argv: readonly string[] | null) => argv?.map((one) => argumentAsWritten(one, filled)) ?? null;
  const [status, rollback] = [asSaid(source.status), asSaid(source.rollback)];
  const seen =
    status === null
      ? "no status command is named, so they are not seen"
      : `read every ${formatDuration(everyMs)} by ${JSON.stringify(status)}`;
  const hand =
    rollback === null || status === null
      ? "rolling one back is never done here: the exact steps are handed over to a person."
      : `one is rolled back by ${JSON.stringify(rollback)}, once, after a person has approved it.`;
  return [`Migrations of ${name}, service ${service}: ${seen};`, ...under([hand])];
}

function flagsLines(flags: FlagsSource): readonly string[] {
  const { type, endpoint, project, environment } = flags;
  const secret = flags.type === "launchdarkly" ? flags.apiKey : flags.token;
  return [`Flags: ${type} at ${endpoint}${secretWords(secret)}, project ${project}, environment ${environment}.`];
}

/** Where a secret comes from, never what it is (S10). */
export function secretWords(secret: SecretRef | null): string {
  if (secret === null) return "";
  if (secret.from === "env") return ` (secret from the variable ${secret.name})`;
  if (secret.from === "file") return ` (secret from the file ${secret.path})`;
  return " (CAUTION: its secret is in the file in plain text; put it into a variable or a file of its own)";
}
