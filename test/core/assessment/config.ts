import type { Config, Policy } from "../../../core/config/config.ts";

/** The seed's policies and chain, as a checked configuration; parts can be replaced. */
export function testConfig(replaced: Partial<Config> = {}): Config {
  const policies: readonly Policy[] = [
    {
      name: "auto_rollback",
      action: "rollback_immediate",
      notification: [],
      conditions: [
        {
          kind: "threshold",
          metric: "error_rate",
          comparison: "greater_than",
          threshold: 0.05,
          upperBound: null,
          durationMs: 180_000,
          text: "error_rate > 0.05 for 3m",
        },
        {
          kind: "threshold",
          metric: "p99_latency",
          comparison: "greater_than",
          threshold: 2000,
          upperBound: null,
          durationMs: 300_000,
          text: "p99_latency > 2000 ms for 5m",
        },
        { kind: "health", failures: 3, consecutive: true, text: "3 consecutive failed health checks" },
        { kind: "regression", metric: "error_rate", confidence: 0.99, text: "regression of error_rate" },
        { kind: "regression", metric: "p99_latency", confidence: 0.99, text: "regression of p99_latency" },
      ],
    },
    {
      name: "human_review",
      action: "notify_and_recommend",
      notification: [],
      conditions: [
        {
          kind: "threshold",
          metric: "error_rate",
          comparison: "greater_than",
          threshold: 0.02,
          upperBound: 0.05,
          durationMs: 300_000,
          text: "error_rate > 0.02 for 5m",
        },
      ],
    },
  ];
  const step = (name: string, action: string) => ({
    step: name,
    action,
    windowMs: null,
    choices: null,
    confidenceThreshold: null,
    requireHumanApprovalIf: null,
  });
  return {
    mode: "auto",
    modeIsDefault: false,
    dataSources: {
      metrics: { type: "prometheus", endpoint: "http://127.0.0.1:9", token: null, queries: {} },
      deployments: [],
      logs: null,
      traces: null,
      featureFlags: null,
      migrations: [],
    },
    policies,
    canary: null,
    chain: [
      { ...step("identify_recent_deployments", "query deployments within last 30 minutes"), windowMs: 1_800_000 },
      {
        ...step("correlate_timing", "compare anomaly start time with deployment timestamps"),
        confidenceThreshold: 0.8,
      },
      step("check_affected_services", "trace error paths to identify affected services"),
      step("check_dependency_graph", "identify downstream services that may need coordinated rollback"),
      step(
        "evaluate_business_impact",
        "cross-reference affected endpoints with traffic volume and revenue attribution",
      ),
      {
        ...step("recommend_action", "select from [rollback, feature_flag_disable, hotfix_recommendation, no_action]"),
        choices: ["rollback", "feature_flag_disable", "hotfix_recommendation", "no_action"],
        requireHumanApprovalIf: {
          text: "business_impact > high OR affected_services > 3",
          holds: ({ business_impact, affected_services }) => {
            if (business_impact === null || affected_services === null)
              return { holds: true, because: "a fact is unknown" };
            const holds = business_impact === "critical" || affected_services > 3;
            return {
              holds,
              because: `business_impact is ${business_impact}, affected_services is ${affected_services}: "business_impact > high OR affected_services > 3" is ${holds}`,
            };
          },
        },
      },
    ],
    allowedActions: [],
    guardrails: {
      maxAutoRollbacksPerDay: 5,
      cooldownMs: 600_000,
      cooldownScope: "service",
      escalateToHumanAfter: 2,
      neverAutoRollback: [],
    },
    blastRadius: { services: 3, trafficShare: null, replicas: null },
    evidenceKinds: 1,
    freezeWindows: [],
    feedback: {
      verifyRecovered: true,
      timeoutMs: 600_000,
      gitOpsWaitMs: 240_000,
      driftWatchMs: 3_600_000,
      ifNotRecovered: null,
      logOutcome: null,
      postmortemDraft: true,
    },
    services: {},
    serviceLabel: "service",
    versionLabel: "version",
    topology: null,
    approvers: [],
    approval: { twoPersons: [], remindAfterMs: 300_000, escalate: [], tokenFile: "other_user" },
    graduation: { approveAfterProposals: 3, autoAfterRecovered: 5 },
    ledger: { type: "sqlite", path: "unused", signingKey: null },
    knowledge: { path: "unused" },
    watch: { stepMs: 15_000 },
    model: null,
    ...replaced,
  };
}

/** The same file with a model that may read code. */
export const readingCode = (config: Config): Config => ({
  ...config,
  model: {
    ...{
      provider: "anthropic",
      model: "m",
      baseUrl: null,
      apiKey: null,
      mayHold: false,
      mayReadCode: true,
      prices: null,
    },
    budget: { tokens: 60_000, turns: 40, timeMs: 90_000, stepTimeMs: 30_000, cost: null },
  },
});
