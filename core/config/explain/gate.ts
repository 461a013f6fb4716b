import { channelText } from "../channel-config.ts";
import type { Config, DataSources } from "../config.ts";
import { secretWords } from "./sources.ts";
import { listed, type Section, under } from "./words.ts";

/** Whether the process that watches can act, and with whose credentials the one that acts does. */
export function explainGate({ gate, dataSources, mode, services }: Config): Section {
  const heading = "Who acts";
  const written = credentialsOf(dataSources);
  if (gate === undefined) {
    const acts = [mode, ...Object.values(services).map((service) => service.mode)].some(
      (one) => one === "approve" || one === "auto",
    );
    return {
      heading,
      lines: [
        `${acts ? "CAUTION: " : ""}One process (no gate): \`unship watch\` and \`unship mcp\` hold what can write, and act themselves. Whoever takes one of them over has those credentials; \`unship gate\` keeps them apart.`,
        ...(written.length === 0
          ? []
          : [
              "Where they act they use credentials of their own (write):",
              ...under(written.map(({ name, from }) => `${name}: ${from}.`)),
            ]),
      ],
    };
  }
  return {
    heading,
    lines: [
      `A process of its own, \`unship gate\`, at ${channelText(gate)}${secretWords(gate.token)}. \`unship watch\` and \`unship mcp\` only read, hand plans to it, and hold no ledger.`,
      ...under(
        written.length === 0
          ? ["CAUTION: no source names a credential for it (write), so it can carry nothing out."]
          : written.map(({ name, from }) => `${name}: ${from}.`),
      ),
    ],
  };
}

function credentialsOf({ deployments, featureFlags, migrations }: DataSources) {
  return [
    ...deployments.flatMap((source) => {
      if (source.write === undefined) return [];
      const from =
        source.type === "kubernetes"
          ? `${source.write.kubeconfig ?? "the account of its own pod"}${source.write.context === null ? "" : `, context ${source.write.context}`}`
          : `a token${secretWords(source.write.token)}`;
      return [{ name: source.type === "kubernetes" ? "Kubernetes" : "Argo CD", from }];
    }),
    ...(featureFlags?.write === undefined
      ? []
      : [{ name: featureFlags.type, from: `a token${secretWords(featureFlags.write)}` }]),
    ...migrations.flatMap(({ name, write }) =>
      write === undefined
        ? []
        : [{ name: `migrations of ${name}`, from: `the variables ${listed(write.environment)}` }],
    ),
  ];
}
