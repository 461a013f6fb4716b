import type {
  DataSources,
  DeploymentsSource,
  FlagsSource,
  LogsSource,
  MetricsSource,
  MigrationsSource,
  QueryConfig,
} from "./config.ts";
import type { ConfigFile } from "./schema/file.ts";
import { durationMs, secretRef, secretRefOf } from "./written-values.ts";

type File = ConfigFile["data_sources"];

/** Where signals, changes, logs, traces and flags come from; secrets stay references. */
export function sourcesOf(file: File): DataSources {
  const { deployments } = file;
  return {
    metrics: metricsOf(file.metrics),
    deployments: (deployments === undefined ? [] : Array.isArray(deployments) ? deployments : [deployments]).map(
      deploymentsOf,
    ),
    logs: file.logs === undefined ? null : logsOf(file.logs),
    traces: file.traces ?? null,
    featureFlags: file.feature_flags === undefined ? null : flagsOf(file.feature_flags),
    migrations: file.migrations.map(migrationsOf),
  };
}

function metricsOf(file: File["metrics"]): MetricsSource {
  if (file.type === "prometheus") {
    return {
      type: file.type,
      endpoint: file.endpoint,
      token: secretRef(file.token),
      queries: queriesOf(file.queries ?? {}),
    };
  }
  return {
    type: file.type,
    targets: (file.targets ?? []).map((target) => ({ url: target.url, labels: target.labels ?? {} })),
    discovery: file.discovery ?? null,
    intervalMs: durationMs(file.interval),
    windowMs: durationMs(file.window),
    spool: file.spool ?? null,
    queries: queriesOf(file.queries ?? {}),
  };
}

type FileQueries = NonNullable<Extract<File["metrics"], { type: "prometheus" }>["queries"]>;

function queriesOf(queries: FileQueries): Readonly<Record<string, QueryConfig>> {
  return Object.fromEntries(
    Object.entries(queries).map(([metric, query]) => [
      metric,
      typeof query === "string"
        ? { query, unit: null, worse: null }
        : { query: query.query, unit: query.unit ?? null, worse: query.worse ?? null },
    ]),
  );
}

type FileDeployments = Exclude<NonNullable<File["deployments"]>, readonly unknown[]>;

function deploymentsOf(file: FileDeployments): DeploymentsSource {
  return file.type === "kubernetes"
    ? {
        type: file.type,
        kubeconfig: file.kubeconfig ?? null,
        context: file.context ?? null,
        namespaces: file.namespaces,
        ...(file.write === undefined
          ? {}
          : { write: { kubeconfig: file.write.kubeconfig ?? null, context: file.write.context ?? null } }),
      }
    : {
        type: file.type,
        endpoint: file.endpoint,
        token: secretRef(file.token),
        repositories: file.repositories ?? [],
        ...(file.write === undefined
          ? {}
          : { write: { token: secretRefOf(file.write.token), account: file.write.account ?? null } }),
      };
}

function logsOf(file: NonNullable<File["logs"]>): LogsSource {
  return file.type === "jsonl"
    ? { type: file.type, paths: file.paths }
    : { type: file.type, endpoint: file.endpoint, indexPattern: file.index_pattern, apiKey: secretRef(file.api_key) };
}

function migrationsOf(file: File["migrations"][number]): MigrationsSource {
  const { name, service, environment } = file;
  return {
    name,
    service,
    status: file.status ?? null,
    rollback: file.rollback ?? null,
    directory: file.directory ?? null,
    environment,
    timeoutMs: durationMs(file.timeout),
    everyMs: durationMs(file.every),
    ...(file.write === undefined ? {} : { write: file.write }),
  };
}

function flagsOf(file: NonNullable<File["feature_flags"]>): FlagsSource {
  const { endpoint, environment } = file;
  switch (file.type) {
    case "launchdarkly": {
      const { type, project } = file;
      const write = file.write === undefined ? {} : { write: secretRefOf(file.write.api_key) };
      return { type, endpoint, apiKey: secretRefOf(file.api_key), project, environment, ...write };
    }
    case "flagsmith": {
      const { type, project, environment_key: environmentKey } = file;
      const write = file.write === undefined ? {} : { write: secretRefOf(file.write.token) };
      return { type, endpoint, token: secretRefOf(file.token), project, environment, environmentKey, ...write };
    }
    case "unleash": {
      const { type, project, actor = null } = file;
      const write = file.write === undefined ? {} : { write: secretRefOf(file.write.token) };
      return { type, endpoint, token: secretRefOf(file.token), project, environment, actor, ...write };
    }
  }
}
