import type { Config, SecretRef } from "./config.ts";

/** Who runs: what watches and answers, or the process of the gate. Where the file names no `gate` the first is both. */
export type Process = "agent" | "gate";

/** What the gate alone may hold: whatever acts, the record, and what people answer by. */
const OF_THE_GATE = /^(?:data_sources\..*\.write\b|ledger\.|notifications\.)/;
/** What the gate has no use for. */
const OF_THE_AGENT = /^model\./;

/** Whether a process needs a secret, by its key; `separate`: the file names a `gate`. */
export function isNeeded(key: string, process: Process, separate: boolean): boolean {
  if (!separate) return true;
  return !(process === "agent" ? OF_THE_GATE : OF_THE_AGENT).test(key);
}

/** A secret that the file names, by its key: "data_sources.metrics.token". */
export interface NamedSecret {
  readonly key: string;
  readonly secret: SecretRef;
}

/**
 * Every secret that the file names, unresolved. A command checks that files exist and resolves only the secrets of the
 * sources that it uses, by these keys.
 */
export function secretsIn({ dataSources, model, ledger, notifications, gate }: Config): readonly NamedSecret[] {
  const { metrics, deployments, logs, featureFlags } = dataSources;
  const all: readonly (readonly [string, SecretRef | null])[] = [
    ["data_sources.metrics.token", metrics.type === "prometheus" ? metrics.token : null],
    ...deployments.map(
      (source, index) =>
        [`data_sources.deployments[${index}].token`, source.type === "argocd_webhook" ? source.token : null] as const,
    ),
    ...deployments.map(
      (source, index) =>
        [
          `data_sources.deployments[${index}].write.token`,
          source.type === "argocd_webhook" ? (source.write?.token ?? null) : null,
        ] as const,
    ),
    ["data_sources.logs.api_key", logs?.type === "elasticsearch" ? logs.apiKey : null],
    ["data_sources.feature_flags.api_key", featureFlags?.type === "launchdarkly" ? featureFlags.apiKey : null],
    [
      "data_sources.feature_flags.token",
      featureFlags?.type === "unleash" || featureFlags?.type === "flagsmith" ? featureFlags.token : null,
    ],
    [
      `data_sources.feature_flags.write.${featureFlags?.type === "launchdarkly" ? "api_key" : "token"}`,
      featureFlags?.write ?? null,
    ],
    ["model.api_key", model?.apiKey ?? null],
    ["gate.token", gate?.token ?? null],
    ["ledger.url", ledger.type === "postgres" ? ledger.url : null],
    ["notifications.slack.bot_token", notifications?.slack?.botToken ?? null],
    ["notifications.slack.signing_secret", notifications?.slack?.signingSecret ?? null],
    ...Object.entries(notifications?.pagerduty?.routingKeys ?? {}).map(
      ([name, key]) => [`notifications.pagerduty.routing_keys.${name}`, key] as const,
    ),
  ];
  return all.flatMap(([key, secret]) => (secret === null ? [] : [{ key, secret }]));
}
