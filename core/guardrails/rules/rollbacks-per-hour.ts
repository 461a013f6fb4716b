import type { ActionType } from "../../model/plan.ts";
import type { Intent } from "../gate-store.ts";
import { allOf, clockText, type Rule } from "../rule.ts";
import { allowancesFor } from "./allowed-actions.ts";

export const HOUR_MS = 3_600_000;

/** Many rollbacks in an hour mean that something else is wrong. Counts every one, approved ones included. */
export const rollbacksPerHour: Rule = {
  name: "rollbacks-per-hour",
  check({ plan, policy, store, now }) {
    const actions = [...new Set(plan.targets.map(({ action }) => action))];
    return allOf(
      "require_approval",
      actions.flatMap((action) => {
        const targets = plan.targets.filter((target) => target.action === action);
        const limits = targets
          .flatMap((target) => allowancesFor(target, policy))
          .flatMap(({ maxRollbacksPerHour }) => (maxRollbacksPerHour === null ? [] : [maxRollbacksPerHour]));
        if (limits.length === 0) return [];
        const used = store.used.filter((one) => one.target.action === action);
        const over = overBudget({ used, wanted: targets.length, limit: Math.min(...limits), windowMs: HOUR_MS, now });
        return over === undefined ? [] : [`${over.count} ${words(action)} this hour used; ${over.next}`];
      }),
    );
  },
};

const words = (action: ActionType): string => `${action} rollbacks`;

/**
 * Whether a plan needs more units than a rolling window has left, and when enough of them will be free. The window
 * is open at its far end: what was reserved exactly `windowMs` ago no longer counts.
 */
export function overBudget(budget: {
  readonly used: readonly Pick<Intent, "reservedAt">[];
  readonly wanted: number;
  readonly limit: number;
  readonly windowMs: number;
  readonly now: number;
}): { readonly count: string; readonly next: string } | undefined {
  const { wanted, limit, windowMs, now } = budget;
  const counted = budget.used.map(({ reservedAt }) => reservedAt).filter((at) => at > now - windowMs);
  counted.sort((a, b) => a - b);
  const over = counted.length + wanted - limit;
  if (over <= 0) return undefined;
  const count = `${counted.length} of ${limit}`;
  if (wanted > limit) return { count, next: `this plan alone needs ${wanted}, which is more than the whole budget` };
  const frees = counted[over - 1];
  const needs = wanted === 1 ? "next free" : `this plan needs ${wanted}, free`;
  return { count, next: `${needs} at ${clockText((frees ?? now) + windowMs, now)}` };
}
