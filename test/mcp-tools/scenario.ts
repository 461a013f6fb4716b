import type { Config } from "../../core/config/config.ts";
import type { CaseFile, StepAnswers } from "../../core/model/assessment.ts";
import type { Change } from "../../core/model/change.ts";
import type { Decision } from "../../core/model/decision.ts";
import type { ConditionState, Finding } from "../../core/model/finding.ts";
import type { GateAnswer, GateReview, Plan, Target } from "../../core/model/plan.ts";
import type { Series } from "../../core/model/signal.ts";
import type { PlanDraft, Sources } from "../../core/ports.ts";
import type { StepFunctions, ToolContext } from "../../mcp-tools/context.ts";
import { testConfig } from "../core/assessment/config.ts";

/** A small world for tests of tools and chain: checkout 1.4.2 was deployed and fails; a deploy of search is innocent. */
export const NOW = Date.parse("2026-03-02T14:20:00Z");
export const ONSET = Date.parse("2026-03-02T14:11:00Z");
const MINUTE = 60_000;

export const deploy: Change = {
  id: "deploy-checkout-7",
  kind: "deploy",
  service: "checkout",
  from: "v1.4.1",
  to: "v1.4.2",
  startedAt: ONSET - MINUTE,
  finishedAt: ONSET,
  source: "kubernetes",
  reversible: true,
  author: "dana",
  message: "Speed up the cart total",
};

export const decoy: Change = { ...deploy, id: "deploy-search-3", service: "search", startedAt: ONSET - 12 * MINUTE };

export const finding: Finding = {
  detector: "threshold",
  service: "checkout",
  metric: "error_rate",
  labels: {},
  unit: "ratio",
  verdict: "worse",
  onset: { at: ONSET, earliest: ONSET - MINUTE, latest: ONSET + MINUTE },
  detectedAt: ONSET + 2 * MINUTE,
  baseline: 0.002,
  current: 0.31,
  samples: 36,
  strength: 42.7,
  because: "error_rate is 0.31, its baseline 0.002",
};

export const condition: ConditionState = {
  policy: "auto_rollback",
  condition: 0,
  text: "error_rate > 0.05 for 3m",
  service: "checkout",
  metric: "error_rate",
  state: "firing",
  since: ONSET + MINUTE,
  firesAt: null,
  value: 0.31,
  because: "0.31 for 8m",
};

export const errorSeries: Series = {
  service: "checkout",
  metric: "error_rate",
  unit: "ratio",
  worse: "up",
  labels: {},
  startAt: NOW - 20 * MINUTE,
  stepMs: MINUTE,
  values: Array.from({ length: 21 }, (_, minute) => (minute < 11 ? 0.002 : minute === 15 ? null : 0.31)),
};

export function caseFile(over: Partial<CaseFile> = {}): CaseFile {
  return {
    at: NOW,
    series: [errorSeries],
    findings: [finding, { ...finding, service: "search", verdict: "no-worse", strength: -3 }],
    conditions: [condition, { ...condition, service: "search", state: "inactive" }],
    changes: [decoy, deploy],
    topology: {
      edges: [
        ["gateway", "checkout"],
        ["gateway", "search"],
      ],
      external: ["bank"],
    },
    logs: [],
    spans: [],
    flags: [],
    rollouts: [],
    alerts: [],
    gaps: [],
    ...over,
  };
}

const noAction = (why: string): Decision => ({
  action: "no_action",
  service: "checkout",
  culprit: null,
  changeIds: [],
  automatic: false,
  needsPerson: [],
  why: [why],
  hotfix: null,
  decidedAt: NOW,
});

/** Step functions small enough to read: each uses only the evidence and what it was given. */
export const steps: StepFunctions = {
  identify_recent_deployments: (file) => ({
    onset: file.findings.find((one) => one.verdict === "worse")?.onset ?? null,
    windowMs: 30 * MINUTE,
    widened: null,
    changeIds: file.changes.filter((one) => one.startedAt >= ONSET - 30 * MINUTE).map((one) => one.id),
  }),
  correlate_timing: (file, _config, known) => {
    const suspects = known.identify_recent_deployments?.changeIds ?? [];
    const weights = suspects.map((id) => (id === deploy.id ? 0.96 : 0.01));
    const candidates = suspects.map((changeId, index) => ({
      changeId,
      service: file.changes.find((one) => one.id === changeId)?.service ?? "",
      probability: weights[index] ?? 0,
      reasons: [{ name: "timing", logOdds: 3.2, sentence: "onset 1m after it began" }],
    }));
    const sum = weights.reduce((a, b) => a + b, 0);
    return {
      ranking: {
        candidates: candidates.toSorted((a, b) => b.probability - a.probability),
        noChangeProbability: 1 - sum,
        noChangeReasons: [],
        rootCauses: [{ service: "checkout", score: 0.9 }],
      },
      threshold: 0.8,
      reached: weights.some((weight) => weight >= 0.8),
    };
  },
  check_affected_services: (file, _config, known) => ({
    services: file.findings.filter((one) => one.verdict === "worse").map((one) => one.service),
    origin: known.correlate_timing?.ranking.rootCauses[0]?.service ?? null,
  }),
  check_dependency_graph: (_file, _config, known) => {
    const culprit = known.correlate_timing?.ranking.candidates[0];
    return { order: culprit === undefined ? [] : [culprit.changeId], because: [] };
  },
  evaluate_business_impact: (_file, _config, known) => ({
    impact: {
      level: known.check_affected_services === undefined ? "low" : "high",
      affectedServices: [...(known.check_affected_services?.services ?? [])],
      failedShare: 0.31,
      failedUserShare: null,
      failedRequestsPerSecond: 12.4,
      revenuePerMinute: null,
      routes: [],
      unknown: ["revenue: not configured"],
      sentences: ["31 % of checkout's requests fail"],
    },
  }),
  recommend_action: (_file, _config, known) => {
    const culprit = known.correlate_timing?.ranking.candidates[0];
    if (culprit === undefined || culprit.probability < 0.8) return { decision: noAction("no change is likely enough") };
    const missing = known.evaluate_business_impact === undefined ? ["the business impact is unknown"] : [];
    const many = known.check_affected_services === undefined ? ["how many services are affected is unknown"] : [];
    return {
      decision: {
        ...noAction("deploy-checkout-7 is the culprit with probability 0.96"),
        action: "rollback",
        culprit: { changeId: culprit.changeId, probability: culprit.probability },
        changeIds: [...(known.check_dependency_graph?.order ?? [culprit.changeId])],
        automatic: true,
        needsPerson: [...missing, ...many],
      },
    };
  },
};

export const SIX = [
  "identify_recent_deployments",
  "correlate_timing",
  "check_affected_services",
  "check_dependency_graph",
  "evaluate_business_impact",
  "recommend_action",
] as const satisfies readonly (keyof StepAnswers)[];

export const chainOf = (names: readonly string[]): Config["chain"] =>
  names.map((step) => ({
    step,
    action: `do ${step}`,
    windowMs: null,
    choices: null,
    confidenceThreshold: step === "correlate_timing" ? 0.8 : null,
    requireHumanApprovalIf: null,
  }));

/** The configuration of this scenario: no policies and no limits, all six steps. */
export function config(over: Partial<Config> = {}): Config {
  const { guardrails } = testConfig();
  const none = { maxAutoRollbacksPerDay: null, cooldownMs: 0, escalateToHumanAfter: null };
  return testConfig({
    policies: [],
    chain: chainOf(SIX),
    guardrails: { ...guardrails, ...none, neverAutoRollback: ["billing-service"] },
    ...over,
  });
}

export const noSources: Sources = {
  metrics: [],
  changes: [],
  logs: [],
  traces: [],
  topology: [],
  flags: [],
  rollouts: [],
  alerts: [],
};

export const target: Target = {
  action: "kubectl_rollout_undo",
  service: "checkout",
  changeId: deploy.id,
  object: { kind: "Deployment", namespace: "production", name: "checkout" },
  expected: { version: "v1.4.2", revision: "7" },
  restore: { version: "v1.4.1", revision: "6" },
};

/** A gate that answers as it is told and remembers what it was asked. */
export function recordingGate(review: GateReview, outcome: GateAnswer["outcome"] = "held") {
  const proposed: PlanDraft[] = [];
  const submitted: string[] = [];
  const gate: NonNullable<ToolContext["gate"]> = {
    async propose(draft) {
      proposed.push(draft);
      const plan: Plan = {
        id: "plan-1",
        hash: "f".repeat(64),
        incidentId: draft.incidentId,
        targets: [...draft.targets],
        reason: draft.reason,
        proposedBy: draft.proposedBy,
        createdAt: NOW,
        expiresAt: NOW + 10 * MINUTE,
      };
      return { plan, review };
    },
    async submit(planId) {
      submitted.push(planId);
      return { planId, outcome, review, results: [], executedAt: outcome === "executed" ? NOW : null };
    },
  };
  return { gate, proposed, submitted };
}

export function context(over: Partial<ToolContext> = {}): ToolContext {
  return {
    version: "0.0.0-test",
    config: config(),
    caseFile: async () => caseFile(),
    steps,
    sources: noSources,
    ledger: {
      incident: async () => null,
      incidents: async () => [],
      entries: async () => [],
      plan: async () => null,
      pauses: async () => [],
      lastEvaluation: async () => null,
    },
    incidents: null,
    gate: null,
    targetsFor: async () => ({ targets: [target], obstacles: [] }),
    clock: { now: () => NOW },
    caller: "mcp:test",
    ...over,
  };
}
