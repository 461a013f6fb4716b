import type { Config, SecretRef } from "./config.ts";

/** A secret that the file names, by its key: "data_sources.metrics.token". */
export interface NamedSecret {
  readonly key: string;
  readonly secret: SecretRef;
}

/**
 * Every secret that the file names, unresolved. A command checks that files exist and resolves only the secrets of the
 * sources that it uses, by these keys.
 */
export function secretsIn({ dataSources, model, ledger, notifications }: Config): readonly NamedSecret[] {
  const { metrics, deployments, logs, featureFlags } = dataSources;
  const all: readonly (readonly [string, SecretRef | null])[] = [
    ["data_sources.metrics.token", metrics.type === "prometheus" ? metrics.token : null],
    ...deployments.map(
      (source, index) =>
        [`data_sources.deployments[${index}].token`, source.type === "argocd_webhook" ? source.token : null] as const,
    ),
    ["data_sources.logs.api_key", logs?.type === "elasticsearch" ? logs.apiKey : null],
    ["data_sources.feature_flags.api_key", featureFlags?.type === "launchdarkly" ? featureFlags.apiKey : null],
    [
      "data_sources.feature_flags.token",
      featureFlags?.type === "unleash" || featureFlags?.type === "flagsmith" ? featureFlags.token : null,
    ],
    ["model.api_key", model?.apiKey ?? null],
    ["ledger.url", ledger.type === "postgres" ? ledger.url : null],
    ["notifications.slack.bot_token", notifications?.slack?.botToken ?? null],
    ["notifications.slack.signing_secret", notifications?.slack?.signingSecret ?? null],
    ...Object.entries(notifications?.pagerduty?.routingKeys ?? {}).map(
      ([name, key]) => [`notifications.pagerduty.routing_keys.${name}`, key] as const,
    ),
  ];
  return all.flatMap(([key, secret]) => (secret === null ? [] : [{ key, secret }]));
}
