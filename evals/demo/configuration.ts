import { stringify } from "yaml";
import { durationText } from "../../core/model/time.ts";
import type { SandboxEndpoints } from "../sandbox/endpoints.ts";
import { FLAG } from "../sandbox/shop.ts";
import { callsOf, externalsOf, servicesOf, type WorldName } from "../sandbox/worlds.ts";
import type { Durations } from "./durations.ts";

/** The variable that hands the flag system's token to the watch, as a deployment would. */
export const FLAG_TOKEN_VARIABLE = "UNSHIP_DEMO_FLAG_TOKEN";

export interface DemoConfiguration {
  readonly endpoints: SandboxEndpoints;
  readonly durations: Durations;
  readonly directory: string;
  /** A Prometheus that scrapes the sandbox; null: the embedded scraper. */
  readonly prometheus: string | null;
  /** What the sandbox runs; default: the shop alone. */
  readonly worlds?: readonly WorldName[];
}

/**
 * What the policies judge: the seed's queries over another window. While a condition on an average holds nothing has recovered, and over
 * the usual five minutes it holds for minutes after its cause is gone.
 */
export const queriesOver = (window: string) => ({
  error_rate: `sum(rate(http_requests_total{status=~"5.."}[${window}])) / sum(rate(http_requests_total[${window}]))`,
  p99_latency: `histogram_quantile(0.99, sum by (le) (rate(http_request_duration_seconds_bucket[${window}])))`,
});

/**
 * The watch's configuration for the sandbox: the seed's policies, guardrails, chain and feedback with the given
 * durations, and the sandbox's endpoints in place of the seed's sources.
 */
export function demoConfiguration({
  endpoints,
  durations,
  directory,
  prometheus,
  worlds = ["shop"],
}: DemoConfiguration): string {
  const spell = (ms: number) => durationText(ms);
  return stringify({
    mode: "auto",
    data_sources: {
      metrics:
        prometheus === null
          ? {
              type: "scrape",
              discovery: endpoints.metricsDiscovery,
              interval: spell(durations.scrapeMs),
              window: "30m",
              spool: `${directory}/spool`,
            }
          : { type: "prometheus", endpoint: prometheus, queries: queriesOver(durationText(durations.averagedMs)) },
      deployments: { type: "kubernetes", kubeconfig: endpoints.kubeconfigPath, namespaces: [endpoints.namespace] },
      logs: { type: "jsonl", paths: [endpoints.logs] },
      traces: { type: "zipkin", endpoint: endpoints.zipkin },
      feature_flags: {
        type: "unleash",
        endpoint: endpoints.flags,
        token: `\${${FLAG_TOKEN_VARIABLE}}`,
        project: endpoints.flagProject,
        environment: endpoints.flagEnvironment,
        actor: endpoints.flagActor,
      },
    },
    rollback_policies: {
      auto_rollback: {
        conditions: [
          {
            metric: "error_rate",
            threshold: 0.05,
            duration: spell(durations.autoErrorRateMs),
            comparison: "greater_than",
          },
          {
            metric: "p99_latency",
            threshold: 2000,
            duration: spell(durations.autoLatencyMs),
            comparison: "greater_than",
          },
          { health_check_failures: 3, consecutive: true },
          {
            metric: "memory_usage",
            threshold: 0.9,
            duration: spell(durations.scrapeMs * 3),
            comparison: "greater_than",
          },
        ],
        action: "rollback_immediate",
        notification: ["slack:#incidents", "pagerduty:oncall"],
      },
      human_review: {
        conditions: [{ metric: "error_rate", threshold: 0.02, upper_bound: 0.05, duration: spell(durations.reviewMs) }],
        action: "notify_and_recommend",
        notification: ["slack:#incidents"],
      },
      canary_analysis: {
        baseline_duration: spell(durations.canaryMs),
        // Not cpu_usage: what a process needs in its first minute is mostly its compiler's.
        comparison_metrics: ["error_rate", "p99_latency", "p50_latency", "memory_usage"],
        minimum_confidence: 0.95,
        auto_promote_on_pass: true,
        auto_rollback_on_fail: true,
      },
    },
    reasoning_chain: {
      on_anomaly_detected: [
        { step: "identify_recent_deployments", action: "query deployments within last 30 minutes" },
        {
          step: "correlate_timing",
          action: "compare anomaly start time with deployment timestamps",
          confidence_threshold: 0.8,
        },
        { step: "check_affected_services", action: "trace error paths to identify affected services" },
        { step: "check_dependency_graph", action: "identify downstream services that may need coordinated rollback" },
        {
          step: "evaluate_business_impact",
          action: "cross-reference affected endpoints with traffic volume and revenue attribution",
        },
        {
          step: "recommend_action",
          action: "select from [rollback, feature_flag_disable, hotfix_recommendation, no_action]",
          require_human_approval_if: "business_impact > high OR affected_services > 3",
        },
      ],
    },
    execution: {
      allowed_actions: [
        {
          type: "kubectl_rollout_undo",
          namespaces: [endpoints.namespace],
          require_approval: false,
          max_rollbacks_per_hour: 3,
        },
        { type: "feature_flag_disable", environments: [endpoints.flagEnvironment], require_approval: false },
      ],
      guardrails: {
        max_auto_rollbacks_per_day: 5,
        cooldown_between_rollbacks: spell(durations.cooldownMs),
        escalate_to_human_after: 2,
        never_auto_rollback: ["billing-service"],
      },
    },
    feedback_loop: {
      post_rollback: [
        { verify_metrics_recovered: true, timeout: spell(durations.verifyTimeoutMs) },
        {
          if_not_recovered: {
            action: "escalate_to_human",
            message: "Rollback did not resolve the issue. Possible non-deployment root cause.",
          },
        },
        {
          log_outcome: {
            store: "openclaw_knowledge_base",
            include: ["deployment_details", "anomaly_metrics", "rollback_duration", "recovery_confirmed"],
          },
        },
        { auto_generate_postmortem_draft: true },
      ],
    },
    services: Object.fromEntries(
      servicesOf(worlds).map((name) => [
        name,
        {
          namespace: endpoints.namespace,
          workload: { kind: "Deployment", name },
          criticality: name === "payments" || name === "checkout" ? "high" : "medium",
          ...(name === "checkout" ? { flags: [FLAG.name] } : {}),
        },
      ]),
    ),
    topology: { edges: callsOf(worlds), external: externalsOf(worlds) },
    ledger: { path: `${directory}/ledger.db` },
    knowledge: { path: `${directory}/knowledge` },
    watch: { step: spell(durations.stepMs) },
  });
}
