import type { GateReview } from "../model/plan.ts";

/**
 * The rules that hold a plan since something that all incidents share is used up for the moment: each ends by itself, and
 * the watch asks again then. Whatever else holds a plan is about the plan itself.
 */
export const COMMON_LIMITS: readonly string[] = [
  "rollbacks-per-hour",
  "auto-rollbacks-per-day",
  "cooldown",
  "worst-first",
];

/**
 * The rules that deny a plan for a time only: a pause and a freeze end, and a target is busy until another plan is settled. Once
 * they do, an answer that a person gave meanwhile counts.
 */
export const DENY_FOR_A_TIME: readonly string[] = ["paused", "freeze", "target-busy"];

/** Whether what denies the plan ends by itself, or when somebody ends it, of what the gate last said of it. */
export function isDeniedForNow({ verdict, rules }: GateReview): boolean {
  const against = rules.filter((one) => one.verdict === "deny");
  return verdict === "deny" && against.length > 0 && against.every(({ rule }) => DENY_FOR_A_TIME.includes(rule));
}

/** Whether limits that pass by themselves are all that holds the plan, of what the gate last said of it. */
export function waitsForLimit({ verdict, rules }: GateReview): boolean {
  const against = rules.filter((one) => one.verdict !== "allow");
  return verdict === "require_approval" && against.every(({ rule }) => COMMON_LIMITS.includes(rule));
}
