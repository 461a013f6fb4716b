import { type Fenced, joined, own } from "../../model/fenced.ts";
import { clockText } from "../../model/time.ts";
import { name } from "../../model/untrusted-text.ts";
import type { Intent } from "../gate-store.ts";
import { allOf, type Rule } from "../rule.ts";
import { allowancesFor } from "./allowed-actions.ts";

export const HOUR_MS = 3_600_000;

/** Many rollbacks within an hour mean that something else is wrong. Every rollback counts, approved ones included. */
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
        return over === undefined
          ? []
          : [own`${over.count} ${action} rollbacks this hour used; ${over.next}${over.by}`];
      }),
    );
  },
};

/**
 * Whether a plan needs more units than a rolling window has left, and when enough of them will be free. The window
 * is open at its far end: what was reserved exactly `windowMs` ago no longer counts.
 */
export function overBudget(budget: {
  readonly used: readonly Pick<Intent, "reservedAt" | "planId" | "incidentId" | "target">[];
  readonly wanted: number;
  readonly limit: number;
  readonly windowMs: number;
  readonly now: number;
}): { readonly count: Fenced; readonly next: Fenced; readonly by: Fenced | "" } | undefined {
  const { wanted, limit, windowMs, now } = budget;
  const using = budget.used
    .filter(({ reservedAt }) => reservedAt > now - windowMs)
    .toSorted((a, b) => a.reservedAt - b.reservedAt);
  const counted = using.map(({ reservedAt }) => reservedAt);
  const over = counted.length + wanted - limit;
  if (over <= 0) return undefined;
  const count = own`${counted.length} of ${limit}`;
  const by = usedBy(using, now);
  if (wanted > limit)
    return { count, by, next: own`this plan alone needs ${wanted}, which is more than the whole budget` };
  const frees = counted[over - 1];
  const needs = wanted === 1 ? "next free" : own`this plan needs ${wanted}, free`;
  return { count, by, next: own`${needs} at ${clockText((frees ?? now) + windowMs, now)}` };
}

/** So many of those that used it are named, the newest. */
const NAMED = 3;

/** Which plans used it, for whoever has to decide whether theirs matters more; empty: none did. */
function usedBy(
  using: readonly Pick<Intent, "reservedAt" | "planId" | "incidentId" | "target">[],
  now: number,
): Fenced | "" {
  const plans = [...new Map(using.map((one) => [one.planId, one])).values()];
  if (plans.length === 0) return "";
  const named = plans
    .slice(-NAMED)
    .map(
      ({ planId, incidentId, target, reservedAt }) =>
        own`${name(planId)} (${name(target.service)}, incident ${name(incidentId)}) at ${clockText(reservedAt, now)}`,
    );
  const more = plans.length - named.length;
  return own`; used by ${joined(named, ", ")}${more > 0 ? own` and ${more} before` : ""}`;
}
