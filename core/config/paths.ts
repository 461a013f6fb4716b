import type { Config } from "./config.ts";
import { deepFreeze } from "./written-values.ts";

/** The name under which SQLite keeps a database in one process and forgets it: for replays alone. */
export const IN_MEMORY = ":memory:";

/**
 * The configuration with every path that the file names made absolute, so that what it means does not depend on the
 * folder in which a command runs (S2). `absolute`: a path as written → an absolute one, counted from the file's folder.
 * Commands of migrations run in that folder where the file names none.
 */
export function withAbsolutePaths(config: Config, absolute: (path: string) => string): Config {
  const { dataSources, ledger, knowledge, gate } = config;
  const named = (path: string | null) => (path === null ? null : absolute(path));
  const { metrics, deployments, logs, migrations } = dataSources;
  const whole: Config = {
    ...config,
    dataSources: {
      ...dataSources,
      metrics: metrics.type === "scrape" ? { ...metrics, spool: named(metrics.spool) } : metrics,
      deployments: deployments.map((source) => {
        if (source.type === "argocd_webhook") {
          const repositories = source.repositories.map((one) => ({ ...one, path: absolute(one.path) }));
          return { ...source, repositories };
        }
        const { write } = source;
        return {
          ...source,
          kubeconfig: named(source.kubeconfig),
          ...(write === undefined ? {} : { write: { ...write, kubeconfig: named(write.kubeconfig) } }),
        };
      }),
      logs: logs?.type === "jsonl" ? { ...logs, paths: logs.paths.map(absolute) } : logs,
      migrations: migrations.map((one) => ({ ...one, directory: absolute(one.directory ?? ".") })),
    },
    ledger: {
      ...ledger,
      ...(ledger.type === "sqlite" && ledger.path !== IN_MEMORY ? { path: absolute(ledger.path) } : {}),
      signingKey: named(ledger.signingKey),
    },
    knowledge: { ...knowledge, path: absolute(knowledge.path) },
    ...(gate !== undefined && "socket" in gate.at
      ? { gate: { ...gate, at: { ...gate.at, socket: absolute(gate.at.socket) } } }
      : {}),
  };
  const secrets = {
    dataSources: whole.dataSources,
    ledger: whole.ledger,
    model: whole.model,
    ...(whole.notifications === undefined ? {} : { notifications: whole.notifications }),
    ...(whole.gate === undefined ? {} : { gate: whole.gate }),
  };
  return deepFreeze({ ...whole, ...withSecretFiles(secrets, absolute) });
}

/** Every reference to a secret's file, wherever it stands. */
function withSecretFiles<T>(value: T, absolute: (path: string) => string): T;
function withSecretFiles(value: unknown, absolute: (path: string) => string): unknown {
  if (Array.isArray(value)) return value.map((one: unknown) => withSecretFiles(one, absolute));
  if (typeof value !== "object" || value === null) return value;
  if ("from" in value && value.from === "file" && "path" in value && typeof value.path === "string") {
    return { ...value, path: absolute(value.path) };
  }
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, withSecretFiles(one, absolute)]));
}
