import type { ServiceConfig } from "../../../core/config/config.ts";
import type { Intent, StoreFacts } from "../../../core/guardrails/gate-store.ts";
import type { GatePolicy, RuleInput } from "../../../core/guardrails/rule.ts";
import { targetKey } from "../../../core/guardrails/targets.ts";
import type { Assessment } from "../../../core/model/assessment.ts";
import type { Change } from "../../../core/model/change.ts";
import type { ConditionState } from "../../../core/model/finding.ts";
import type { Plan, Target } from "../../../core/model/plan.ts";

export const NOW = Date.UTC(2026, 0, 5, 14, 0, 0);
export const MINUTE = 60_000;
export const HOUR = 3_600_000;
export const DAY = 86_400_000;

/** A deploy of one service that can be undone; what matters to a test is passed in. */
export function targetOf(change: Partial<Target> & { readonly name?: string } = {}): Target {
  const { name = "checkout", ...rest } = change;
  return {
    action: "kubectl_rollout_undo",
    service: name,
    changeId: `deploy-${name}`,
    object: { kind: "Deployment", namespace: "production", name },
    expected: { version: "v2", revision: "7" },
    restore: { version: "v1", revision: "6" },
    ...rest,
  };
}

export function flagOf(change: Partial<Target> = {}): Target {
  return {
    action: "feature_flag_disable",
    service: "checkout",
    changeId: "flag-new-cart",
    object: { kind: "Flag", namespace: "default", name: "new-cart" },
    environment: "production",
    expected: { version: "41", revision: "on" },
    restore: { version: "41", revision: "off" },
    ...change,
  };
}

/** The `execution` block of the example file, in mode auto. */
export function policyOf(change: Partial<GatePolicy> = {}): GatePolicy {
  const any = { namespaces: null, applications: null, environments: null, requireApproval: false } as const;
  return {
    mode: "auto",
    policies: [
      { name: "auto_rollback", conditions: [], action: "rollback_immediate", notification: ["slack:#incidents"] },
      { name: "human_review", conditions: [], action: "notify_and_recommend", notification: ["slack:#review"] },
    ],
    chain: [],
    allowedActions: [
      { ...any, type: "kubectl_rollout_undo", namespaces: ["production"], maxRollbacksPerHour: 3 },
      { ...any, type: "argocd_sync_to_previous", applications: ["*"], maxRollbacksPerHour: null },
      { ...any, type: "feature_flag_disable", environments: ["production"], maxRollbacksPerHour: null },
      { ...any, type: "database_migration_rollback", requireApproval: true, maxRollbacksPerHour: null },
    ],
    guardrails: {
      maxAutoRollbacksPerDay: 5,
      cooldownMs: 10 * MINUTE,
      cooldownScope: "service",
      escalateToHumanAfter: 2,
      neverAutoRollback: ["database-migration-service", "billing-service"],
    },
    services: { checkout: serviceOf({ flags: ["new-cart"] }) },
    blastRadius: { services: null, trafficShare: null, replicas: null },
    evidenceKinds: 1,
    freezeWindows: [],
    approval: { twoPersons: [], remindAfterMs: 5 * MINUTE, escalate: [], tokenFile: "other_user" },
    ...change,
  };
}

export const serviceOf = (change: Partial<ServiceConfig> = {}): ServiceConfig => ({
  namespace: null,
  workload: null,
  argocdApplication: null,
  flags: [],
  criticality: "medium",
  revenuePerMinute: null,
  routes: [],
  mode: null,
  ...change,
});

export const firing = (change: Partial<ConditionState> = {}): ConditionState => ({
  policy: "auto_rollback",
  condition: 0,
  text: "error_rate > 0.05 for 3m",
  service: "checkout",
  metric: "error_rate",
  state: "firing",
  since: NOW - 4 * MINUTE,
  firesAt: null,
  value: 0.31,
  because: "0.31 for 4m",
  ...change,
});

export const changeOf = (target: Target, change: Partial<Change> = {}): Change => ({
  id: target.changeId,
  kind: target.action === "feature_flag_disable" ? "flag" : "deploy",
  service: target.service,
  from: target.restore.version,
  to: target.expected.version,
  startedAt: NOW - 10 * MINUTE,
  finishedAt: NOW - 9 * MINUTE,
  source: "kubernetes",
  reversible: true,
  ...(target.action === "feature_flag_disable" ? { flag: target.object.name } : { workload: target.object }),
  ...change,
});

/** The gate's own fresh result: it wants these targets taken back, and an automatic condition holds. */
export function assessmentOf(change: Partial<Assessment> = {}): Assessment {
  const targets = change.targets ?? [targetOf()];
  const services = [...new Set(targets.map(({ service }) => service))];
  const culprit = targets[0]?.changeId;
  return {
    at: NOW,
    services,
    findings: [],
    conditions: services.map((service) => firing({ service })),
    changes: targets.map((target) => changeOf(target)),
    answers: {
      identify_recent_deployments: {
        onset: { at: NOW - 8 * MINUTE, earliest: NOW - 9 * MINUTE, latest: NOW - 7 * MINUTE },
        windowMs: 30 * MINUTE,
        widened: null,
        changeIds: targets.map(({ changeId }) => changeId),
      },
    },
    decision: {
      action: targets[0]?.action === "feature_flag_disable" ? "feature_flag_disable" : "rollback",
      service: services[0] ?? "checkout",
      culprit: culprit === undefined ? null : { changeId: culprit, probability: 0.97 },
      changeIds: targets.map(({ changeId }) => changeId),
      automatic: true,
      needsPerson: [],
      why: ["errors rose right after the deploy"],
      hotfix: null,
      decidedAt: NOW,
    },
    obstacles: [],
    baselines: [],
    unverified: [],
    unheard: [],
    ...change,
    targets,
  };
}

/** A gate's `assess` that names those of `fresh` that belong to the services it is asked about. */
export const assessNaming =
  (fresh: readonly Target[]) =>
  async (services: readonly string[], at: number): Promise<Assessment> => {
    const named = fresh.filter(({ service }) => services.includes(service));
    return assessmentOf({
      at,
      services,
      targets: named,
      conditions: services.map((service) => firing({ service })),
      changes: named.map((target) => changeOf(target, { startedAt: at - 600_000, finishedAt: at - 590_000 })),
    });
  };

export function planOf(change: Partial<Plan> = {}): Plan {
  return {
    id: "plan-1",
    hash: "hash-of-plan-1",
    incidentId: "incident-1",
    targets: [targetOf()],
    reason: "errors rose",
    proposedBy: "watch",
    createdAt: NOW - MINUTE,
    expiresAt: NOW + 14 * MINUTE,
    ...change,
  };
}

/** Three pods, and the version to restore has as much as the present one. */
export const ENOUGH = { replicas: 3, less: [] } as const;

export const NO_FACTS: StoreFacts = {
  skewMs: 0,
  pauses: [],
  used: [],
  automatic: [],
  healthy: new Map(),
  busy: [],
  ownActs: [],
  approvals: [],
  incident: "open",
  refusals: [],
  reserved: [],
  permit: null,
  answer: null,
};

/** A target of an earlier plan that was executed. */
export function intentOf(change: Partial<Intent> & { readonly name?: string } = {}): Intent {
  const { name = "cart", ...rest } = change;
  const target = rest.target ?? targetOf({ name });
  const reservedAt = rest.reservedAt ?? NOW - 30 * MINUTE;
  return {
    planId: `plan-of-${name}`,
    position: 0,
    incidentId: "incident-0",
    target,
    targetKey: targetKey(target),
    key: `plan-of-${name}:0`,
    automatic: true,
    reservedAt,
    attempts: 1,
    owner: "some-process",
    leaseUntil: reservedAt + MINUTE,
    result: { target, result: "done", detail: "restored", at: reservedAt, warnings: [] },
    finishedAt: reservedAt,
    released: false,
    recovery: "recovered",
    ...rest,
  };
}

/** An input about which every rule is content, but for what a test changes. */
export function inputOf(
  change: Partial<Omit<RuleInput, "store">> & { readonly store?: Partial<StoreFacts> } = {},
): RuleInput {
  const plan = change.plan ?? planOf();
  return {
    contentHash: plan.hash,
    now: NOW,
    policy: policyOf(),
    assessment: assessmentOf({ targets: plan.targets }),
    targets: plan.targets.map((target) => ({
      target,
      state: { ...target.expected, obstacles: [], warnings: [], capacity: ENOUGH },
      problem: null,
      executable: true,
    })),
    traffic: null,
    ...change,
    plan,
    store: { ...NO_FACTS, ...change.store },
  };
}
