import { parse, stringify } from "yaml";
import type { Roles } from "../real-kubernetes/roles.ts";
import type { ServiceModel } from "../real-kubernetes/shop/traffic.ts";
import { NAMESPACE } from "../sandbox/shop.ts";
import { demoConfiguration } from "./configuration.ts";
import type { Durations } from "./durations.ts";

/** The variable that both processes hold, as a deployment would hand it to them. */
export const CHANNEL_VARIABLE = "UNSHIP_CHANNEL";

export interface RealConfiguration {
  readonly directory: string;
  readonly durations: Durations;
  readonly services: readonly ServiceModel[];
  readonly roles: Roles;
  /** A Prometheus that scrapes the pods' pages, or where those are listed for the embedded scraper. */
  readonly metrics: { readonly prometheus: string } | { readonly discovery: string };
}

/** The demo's policies for a cluster alone, for a watch and a gate apart, each with the token of its role. */
export function realConfiguration({ directory, durations, services, roles, metrics }: RealConfiguration): string {
  const demo = parse(
    demoConfiguration({
      endpoints: { ...NO_SANDBOX, metricsDiscovery: "discovery" in metrics ? metrics.discovery : "" },
      durations,
      directory,
      prometheus: "prometheus" in metrics ? metrics.prometheus : null,
    }),
  );
  const { traces: _, logs: __, feature_flags: ___, ...sources } = demo.data_sources;
  const [undo] = demo.execution.allowed_actions;
  return stringify({
    ...demo,
    data_sources: {
      ...sources,
      deployments: {
        type: "kubernetes",
        kubeconfig: roles.kubeconfig["unship-read"],
        namespaces: [NAMESPACE],
        write: { kubeconfig: roles.kubeconfig["unship-gate"] },
      },
    },
    execution: { ...demo.execution, allowed_actions: [{ ...undo, namespaces: [NAMESPACE] }] },
    services: Object.fromEntries(
      services.map(({ name }) => [
        name,
        { namespace: NAMESPACE, workload: { kind: "Deployment", name }, criticality: "medium" },
      ]),
    ),
    topology: { edges: services.flatMap(({ name, calls }) => calls.map(({ callee }) => [name, callee])) },
    gate: { socket: `${directory}/run/gate.sock`, token: `\${${CHANNEL_VARIABLE}}` },
  });
}

/** The demo's configuration names the sandbox's endpoints, of which a cluster has none; none of them is kept. */
export const NO_SANDBOX = {
  kubernetes: "",
  kubeconfigPath: "",
  namespace: NAMESPACE,
  metricsDiscovery: "",
  prometheusConfigPath: "",
  flags: "",
  flagToken: "",
  flagActor: "",
  flagProject: "",
  flagEnvironment: "",
  zipkin: "",
  logs: "",
  gateway: "",
};
