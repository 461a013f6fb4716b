import type { RuleInput } from "../../../core/guardrails/rule.ts";
import type { GuardrailVerdict, Target } from "../../../core/model/plan.ts";
import { ENOUGH, HOUR, inputOf, intentOf, MINUTE, NOW, planOf, policyOf, targetOf } from "./rule-inputs.ts";

/** A situation, the rule that must speak of it, and what it must say. */
export type Row = readonly [name: string, input: RuleInput, rule: string, verdict: GuardrailVerdict, says: string];
export type Silent = readonly [name: string, input: RuleInput, rule: string];

export const forTargets = (targets: readonly Target[], change: Parameters<typeof inputOf>[0] = {}): RuleInput =>
  inputOf({ plan: planOf({ targets: [...targets] }), ...change });

export const guardrails = (change: Partial<ReturnType<typeof policyOf>["guardrails"]>) =>
  policyOf({ guardrails: { ...policyOf().guardrails, ...change } });

export const standing = (target: Target, version: string, revision: string, more = {}): RuleInput["targets"] => [
  {
    target,
    state: { version, revision, obstacles: [], warnings: [], capacity: ENOUGH, ...more },
    problem: null,
    executable: true,
  },
];

export const withoutEnvironment = ({ environment: _, ...rest }: Target): Target => rest;

export const migrationTarget = targetOf({ action: "database_migration_rollback", name: "orders-db" });
export const three = ["cart", "search", "mail"].map((name, index) =>
  intentOf({ name, reservedAt: NOW - (50 - index * 10) * MINUTE }),
);
export const five = ["a", "b", "c", "d", "e"].map((name, index) =>
  intentOf({ name, reservedAt: NOW - (20 - index) * HOUR }),
);

export function step(change: Partial<RuleInput["policy"]["chain"][number]>): RuleInput["policy"]["chain"][number] {
  return {
    step: "recommend_action",
    action: "select",
    windowMs: null,
    choices: null,
    confidenceThreshold: null,
    requireHumanApprovalIf: null,
    ...change,
  };
}

export function emptyRanking() {
  return { candidates: [], noChangeProbability: 1, noChangeReasons: [], rootCauses: [] };
}
