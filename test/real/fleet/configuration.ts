import { parse, stringify } from "yaml";
import { durationText } from "../../../core/model/time.ts";
import { demoConfiguration, queriesOver } from "../../../evals/demo/configuration.ts";
import type { Durations } from "../../../evals/demo/durations.ts";
import { NO_SANDBOX } from "../../../evals/demo/real-configuration.ts";
import type { Roles } from "../../../evals/real-kubernetes/roles.ts";
import type { ServiceModel } from "../../../evals/real-kubernetes/shop/traffic.ts";
import { ACCOUNTS } from "./git-ops.ts";
import type { Workload } from "./workloads.ts";

/** The seed's durations divided by thirty, but for the verification's, which every good version must have served first. */
export const FLEET_DURATIONS: Durations = {
  autoErrorRateMs: 6000,
  autoLatencyMs: 8000,
  reviewMs: 8000,
  cooldownMs: 1000,
  canaryMs: 20_000,
  verifyTimeoutMs: 40_000,
  averagedMs: 10_000,
  scrapeMs: 1000,
  // An evaluation of a dozen services beside a whole control plane takes longer than a second on two cores.
  stepMs: 2000,
};

export interface FleetService extends ServiceModel {
  readonly workload: Workload;
}

export interface FleetConfiguration {
  readonly namespace: string;
  readonly directory: string;
  readonly services: readonly FleetService[];
  readonly roles: Roles;
  /** A Prometheus that scrapes the pods' pages, or where those are listed for the embedded scraper. */
  readonly metrics: { readonly prometheus: string } | { readonly discovery: string };
  /** Where Argo CD answers, if a service is released by Git. */
  readonly argocd?: string;
  /** Rollbacks an hour and automatic ones a day. Absent: so many that they never bind. */
  readonly limits?: { readonly perHour: number; readonly perDay: number };
}

/** Argo CD polls Git every fifteen seconds here, every three minutes by default. */
const GITOPS_WAIT = "20s";

/** The variable that both processes hold, as a deployment would hand it to them. */
export const CHANNEL_VARIABLE = "UNSHIP_CHANNEL";
/** Those of Argo CD's tokens: the agent's, and the gate's alone. */
export const ARGOCD_VARIABLES = { read: "UNSHIP_ARGOCD_READ", gate: "UNSHIP_ARGOCD_GATE" } as const;
const UNBOUND = { perHour: 1000, perDay: 1000 };

/** The demo's policies, for a watch and a gate apart, each with the token of its role. */
export function fleetConfiguration(given: FleetConfiguration): string {
  const { namespace, directory, services, roles, metrics, argocd, limits = UNBOUND } = given;
  const demo = parse(
    demoConfiguration({
      endpoints: NO_SANDBOX,
      durations: FLEET_DURATIONS,
      directory,
      prometheus: null,
    }),
  );
  const { traces: _, logs: __, feature_flags: ___, ...sources } = demo.data_sources;
  const [verification] = demo.feedback_loop.post_rollback;
  verification.gitops_wait = GITOPS_WAIT;
  // How many services may be affected before people are asked is a limit too.
  for (const step of demo.reasoning_chain.on_anomaly_detected) delete step.require_human_approval_if;
  const allowed = { require_approval: false, max_rollbacks_per_hour: limits.perHour };
  const byGit = services.filter(({ workload }) => workload.byGit === true);
  return stringify({
    ...demo,
    data_sources: {
      ...sources,
      metrics:
        "discovery" in metrics
          ? {
              type: "scrape",
              discovery: metrics.discovery,
              interval: "1s",
              window: "30m",
              spool: `${directory}/spool`,
            }
          : {
              type: "prometheus",
              endpoint: metrics.prometheus,
              queries: queriesOver(durationText(FLEET_DURATIONS.averagedMs)),
            },
      deployments: [
        {
          type: "kubernetes",
          kubeconfig: roles.kubeconfig["unship-read"],
          namespaces: [namespace],
          write: { kubeconfig: roles.kubeconfig["unship-gate"] },
        },
        ...(argocd === undefined
          ? []
          : [
              {
                type: "argocd_webhook",
                endpoint: argocd,
                token: `\${${ARGOCD_VARIABLES.read}}`,
                write: { token: `\${${ARGOCD_VARIABLES.gate}}`, account: ACCOUNTS.gate },
              },
            ]),
      ],
    },
    execution: {
      allowed_actions: [
        { type: "kubectl_rollout_undo", namespaces: [namespace], ...allowed },
        ...(services.some(({ workload }) => workload.kind === "Rollout")
          ? [{ type: "rollout_abort", namespaces: [namespace], ...allowed }]
          : []),
        ...(argocd === undefined
          ? []
          : [{ type: "argocd_sync_to_previous", applications: byGit.map(({ name }) => name), ...allowed }]),
      ],
      guardrails: {
        max_auto_rollbacks_per_day: limits.perDay,
        cooldown_between_rollbacks: "1s",
        escalate_to_human_after: limits.perDay,
        never_auto_rollback: [],
      },
    },
    services: Object.fromEntries(
      services.map(({ name, workload }) => [
        name,
        {
          namespace,
          workload: { kind: workload.kind, name: workload.name },
          criticality: "medium",
          ...(workload.byGit === true ? { argocd_application: name } : {}),
        },
      ]),
    ),
    topology: { edges: services.flatMap(({ name, calls }) => calls.map(({ callee }) => [name, callee])) },
    gate: { socket: `${directory}/run/gate.sock`, token: `\${${CHANNEL_VARIABLE}}` },
  });
}
