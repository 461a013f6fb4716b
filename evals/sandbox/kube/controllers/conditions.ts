import type { Condition } from "../objects.ts";

export function conditionOf(conditions: readonly Condition[] | undefined, type: string): Condition | undefined {
  return conditions?.find((condition) => condition.type === type);
}

export function withoutCondition(conditions: readonly Condition[], type: string): readonly Condition[] {
  return conditions.filter((condition) => condition.type !== type);
}

/**
 * The list with this condition in it. Where status and reason are as before nothing changes; where the status alone
 * is as before, its time of transition stays.
 */
export function withCondition(conditions: readonly Condition[], next: Condition): readonly Condition[] {
  const current = conditionOf(conditions, next.type);
  if (current?.status === next.status && current.reason === next.reason) return conditions;
  const kept = current?.status === next.status ? { lastTransitionTime: current.lastTransitionTime ?? null } : {};
  return [...withoutCondition(conditions, next.type), { ...next, ...kept }];
}
