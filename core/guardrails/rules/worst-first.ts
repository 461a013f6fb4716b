import { type Fenced, own } from "../../model/fenced.ts";
import type { Target } from "../../model/plan.ts";
import { clockText, durationText } from "../../model/time.ts";
import { name } from "../../model/untrusted-text.ts";
import type { Rival } from "../rivals.ts";
import { allOf, type Rule, type RuleInput } from "../rule.ts";
import { rolledBackByBoth, touchedBy, touchedByPlan } from "../touched.ts";
import { allowancesFor } from "./allowed-actions.ts";
import { DAY_MS } from "./auto-rollbacks-per-day.ts";
import { HOUR_MS } from "./rollbacks-per-hour.ts";

/**
 * What is left of a budget that all incidents share goes to the worst incident first: a plan that would use what the
 * plan of a worse incident waits for is held until that plan has run or expired. A person may let it run earlier.
 */
export const worstFirst: Rule = {
  name: "worst-first",
  check(input) {
    return allOf("require_approval", [...hourly(input), ...daily(input), ...resting(input)]);
  },
};

function hourly({ plan, policy, store, now, rivals = [] }: RuleInput): readonly Fenced[] {
  const actions = [...new Set(plan.targets.map(({ action }) => action))];
  return actions.flatMap((action) => {
    const mine = plan.targets.filter((target) => target.action === action);
    const limits = mine
      .flatMap((target) => allowancesFor(target, policy))
      .flatMap(({ maxRollbacksPerHour }) => (maxRollbacksPerHour === null ? [] : [maxRollbacksPerHour]));
    if (limits.length === 0) return [];
    const used = store.used.filter((one) => one.target.action === action && one.reservedAt > now - HOUR_MS);
    const wants = ({ targets }: Rival) => targets.filter((target) => target.action === action).length;
    const budget = { limit: Math.min(...limits), used: used.length, wanted: mine.length };
    return taken(rivals, wants, budget, now).map((rival) => own`${rival}, of ${action} rollbacks this hour`);
  });
}

function daily({ plan, policy, store, now, rivals = [] }: RuleInput): readonly Fenced[] {
  const limit = policy.guardrails.maxAutoRollbacksPerDay;
  if (limit === null) return [];
  const used = store.used.filter(({ automatic, reservedAt }) => automatic && reservedAt > now - DAY_MS);
  const budget = { limit, used: used.length, wanted: plan.targets.length };
  return taken(rivals, ({ targets }) => targets.length, budget, now).map(
    (rival) => own`${rival}, of automatic rollbacks today`,
  );
}

/**
 * The worse plans that want what the plan would take, in words; empty: enough is left for all, or too little for the plan
 * anyway, which the budget's own rule says. A plan that is larger than the whole budget claims nothing of it: it never runs
 * without a person.
 */
function taken(
  rivals: readonly Rival[],
  wants: (rival: Rival) => number,
  { limit, used, wanted }: { readonly limit: number; readonly used: number; readonly wanted: number },
  now: number,
): readonly Fenced[] {
  const left = limit - used;
  const claims = rivals.filter((rival) => wants(rival) > 0 && wants(rival) <= limit);
  const claimed = claims.reduce((sum, rival) => sum + wants(rival), 0);
  if (wanted > left || left - claimed >= wanted) return [];
  return claims.map((rival) => own`${rivalText(rival, now)} for ${wants(rival)} of the ${left} left`);
}

/** A rollback begins a cooldown in which the worse one could not run. */
function resting(input: RuleInput): readonly Fenced[] {
  const { policy, now, rivals = [] } = input;
  const { cooldownMs, cooldownScope } = policy.guardrails;
  if (cooldownMs === 0) return [];
  const touched = touchedByPlan(input);
  // What a rival's own system says that it reaches was not asked: it goes by what the file says.
  const isOfPlan = (target: Target) =>
    touched.some((one) => rolledBackByBoth(one, touchedBy(target, null, policy.services)).length > 0);
  return rivals
    .filter(({ targets }) => cooldownScope === "global" || targets.some(isOfPlan))
    .map(
      (rival) => own`${rivalText(rival, now)} to run, and would rest for ${durationText(cooldownMs)} after this one`,
    );
}

const rivalText = ({ planId, incidentId, service, level, expiresAt }: Rival, now: number): Fenced =>
  own`${name(planId)} of the worse incident ${name(incidentId)} (${name(service)}, impact ${level}) goes first, until ${clockText(expiresAt, now)} at the latest: it waits`;
