import type { Incident } from "../../../../core/model/incident.ts";
import type { Plan } from "../../../../core/model/plan.ts";
import { approverKey } from "../../../../mcp-tools/gate/approver-key.ts";
import type { GateConfig } from "../../../../mcp-tools/gate/parts.ts";
import { policyOf, serviceOf } from "../../../core/guardrails/rule-inputs.ts";
import { type Limits, NEVER_AUTO, PEOPLE, SERVICES, type Trouble } from "./catalog.ts";

export const tokenOf = (name: string) => `${name}-personal-token-4711`;

/** The company's file, as the gate reads it. `troubles`: what holds now, for what only a calendar or an expression knows. */
export function configOf(limits: Limits, troubles: () => ReadonlySet<Trouble>): GateConfig {
  const any = { namespaces: null, applications: null, environments: null, requireApproval: false } as const;
  const freeze = (name: Trouble, rollbacks: "deny" | "approve" | "allow") => ({
    name,
    cron: "0 0 * * *",
    timeZone: "UTC",
    durationMs: 60_000,
    services: null,
    rollbacks,
    openAt: (now: number) => {
      if (troubles().has("rule-breaks")) throw new Error("a broken calendar");
      return troubles().has(name) ? { from: now - 60_000, to: now + 60_000 } : null;
    },
  });
  const policy = policyOf();
  return {
    ...policy,
    mode: "auto",
    chain: [
      {
        step: "recommend_action",
        action: "select",
        windowMs: null,
        choices: null,
        confidenceThreshold: limits.confidence,
        requireHumanApprovalIf: {
          text: "business_impact > high",
          holds: () => ({ holds: troubles().has("expression"), because: "the business impact is critical" }),
        },
      },
    ],
    allowedActions: [
      { ...any, type: "kubectl_rollout_undo", namespaces: ["production"], maxRollbacksPerHour: limits.perHour },
      {
        ...any,
        type: "kubectl_rollout_undo",
        namespaces: ["guarded"],
        maxRollbacksPerHour: limits.perHour,
        requireApproval: true,
      },
      { ...any, type: "argocd_sync_to_previous", applications: ["*"], maxRollbacksPerHour: null },
      { ...any, type: "feature_flag_disable", environments: ["production"], maxRollbacksPerHour: null },
      { ...any, type: "database_migration_rollback", maxRollbacksPerHour: null },
    ],
    guardrails: {
      maxAutoRollbacksPerDay: limits.perDay,
      cooldownMs: limits.cooldownMs,
      cooldownScope: limits.cooldownForAll ? "global" : "service",
      escalateToHumanAfter: limits.escalateAfter,
      neverAutoRollback: NEVER_AUTO,
    },
    services: Object.fromEntries(
      Object.entries(SERVICES).map(([name, { mode, importance, workload, flags }]) => [
        name,
        serviceOf({
          mode,
          criticality: importance,
          flags: flags ?? [],
          workload: workload === undefined ? null : { kind: "Deployment", name: workload },
        }),
      ]),
    ),
    blastRadius: { services: limits.mostServices, trafficShare: limits.mostTraffic, replicas: limits.mostPods },
    evidenceKinds: limits.kinds,
    freezeWindows: [
      freeze("freeze-denies", "deny"),
      freeze("freeze-asks", "approve"),
      freeze("freeze-allows", "allow"),
    ],
    approval: {
      ...policy.approval,
      twoPersons: limits.twoPeople.map((service) => ({ services: [service], actions: null, criticality: null })),
    },
    approvers: PEOPLE.map(({ name, services, actions, upTo }) => ({
      name,
      tokenSha256: null,
      tokenKey: approverKey(tokenOf(name)).text,
      services,
      actions,
      upTo,
    })),
  };
}

/** The record of an incident whose plan was verified. */
export function incidentOf(plan: Plan, verdict: "recovered" | "not-recovered" | "unknown"): Incident {
  return {
    id: `${plan.incidentId}-verified`,
    stage: "closed",
    service: plan.targets[0]?.service ?? "",
    detectedAt: plan.createdAt,
    onset: null,
    findings: [],
    conditions: [],
    affectedServices: [],
    changes: [],
    ranking: null,
    impact: null,
    decision: null,
    plan,
    gate: null,
    baselines: [],
    recovery: { verdict, at: null, checks: [] },
    outcome: verdict,
    closedAt: plan.createdAt,
    timeline: [],
    unverified: [],
    usage: { inputTokens: 0, outputTokens: 0, toolCalls: 0 },
  };
}
