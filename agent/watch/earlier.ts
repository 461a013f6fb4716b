import { LEDGER_KINDS } from "../../core/guardrails/gate-store.ts";
import { sharedUndoing, targetKey } from "../../core/guardrails/targets.ts";
import type { Decision } from "../../core/model/decision.ts";
import { type Incident, isResidual } from "../../core/model/incident.ts";
import type { Plan, Target } from "../../core/model/plan.ts";
import type { Ledger } from "../../core/ports.ts";

/** The end of a plan that was tried and changed nothing, and the submission of one, in an incident's timeline. */
export const NOTHING_WRITTEN = "nothing was written";
export const SUBMITTED = "submitted";

/** Budgets, cooldowns and pauses end by themselves; nobody should wait much longer than this after they do. */
export const LONGEST_RETRY_MS = 5 * 60_000;

/** What was tried within a day counts: budgets count by the day as well, and after that a fresh try harms nobody. */
export const REMEMBERED_MS = 24 * 3_600_000;

/** What became of the same before: it binds an incident that begins anew as it would have bound one that never ended. */
export interface Earlier {
  /**
   * Whether people said no to undoing each of these targets, in this incident or in any before it (S4). Where they refused some
   * of them only, the others are a new question, and the gate holds the plan for it.
   */
  isRefused(targets: readonly Target[]): Promise<boolean>;
  /** When timeline entries of this name came, in incidents with the same culprit that were judged lately; oldest first. */
  before(incident: Incident, event: string): readonly number[];
  /** The same, and those of the incident itself. */
  tries(incident: Incident, event: string): readonly number[];
  /** It closed, or all that was to be done for it is done. Safe to repeat. */
  judged(incident: Incident, now: number): void;
}

export function createEarlier(ledger: Pick<Ledger, "entries" | "plan">): Earlier {
  /** Plans never change. */
  const plans = new Map<string, Plan | null>();
  let lately: readonly Tried[] = [];
  const before = (incident: Incident, event: string): readonly number[] => {
    const ours = culprits(incident.decision);
    return lately
      .filter((one) => one.id !== incident.id && one.culprits.some((id) => ours.includes(id)))
      .flatMap(({ times }) => times.get(event) ?? [])
      .sort((a, b) => a - b);
  };
  return {
    async isRefused(targets) {
      const refused: Target[] = [];
      for (const { planId } of await ledger.entries({ kinds: [LEDGER_KINDS.approvalRejected] })) {
        if (planId === null) continue;
        const plan = plans.get(planId) ?? (await ledger.plan(planId));
        plans.set(planId, plan);
        refused.push(...(plan?.targets ?? []));
      }
      return targets.length > 0 && sharedUndoing(targets, refused).length === targets.length;
    },
    before,
    tries: (incident, event) => [...before(incident, event), ...timesOf(incident, event)].sort((a, b) => a - b),
    judged(incident, now) {
      const { id, closedAt, decision } = incident;
      const times = new Map([NOTHING_WRITTEN, SUBMITTED].map((event) => [event, timesOf(incident, event)] as const));
      const tried: Tried = { id, closedAt: closedAt ?? now, culprits: culprits(decision), times };
      const others = lately.filter((one) => one.id !== id && now - one.closedAt <= REMEMBERED_MS);
      lately = [...times.values()].some((all) => all.length > 0) ? [...others, tried] : others;
    },
  };
}

const timesOf = ({ timeline }: Incident, event: string): readonly number[] =>
  timeline.flatMap((entry) => (entry.event === event ? [entry.at] : []));

/** What of a closed incident holds back the next one with the same culprit. */
interface Tried {
  readonly id: string;
  readonly closedAt: number;
  readonly culprits: readonly string[];
  readonly times: ReadonlyMap<string, readonly number[]>;
}

const culprits = (decision: Decision | null): readonly string[] =>
  decision === null ? [] : [...decision.changeIds, ...(decision.culprit === null ? [] : [decision.culprit.changeId])];

/**
 * Objects that an incident is making a plan for at this moment, by key: what is on its way holds as well as what is stored.
 */
export type Claims = Map<string, string>;

/** The incident whose plan holds one of the objects, and the plan in words. */
export interface Holder {
  readonly id: string;
  readonly plan: string;
}

/**
 * Takes these objects for a plan of this incident; or who holds one of them already by a plan that is usable still. One
 * object is never in two open plans: the first of them decides, and what changed since is judged when it is over (S2).
 */
export function claim(
  targets: readonly Target[],
  incident: Incident,
  { open, claims, now }: { readonly open: readonly Incident[]; readonly claims: Claims; readonly now: number },
): Holder | null {
  const keys = targets.map(targetKey);
  for (const key of keys) {
    const id = claims.get(key);
    if (id !== undefined && id !== incident.id) return { id, plan: "a plan" };
  }
  for (const one of open) {
    const { id, plan, superseded = [] } = one;
    if (id === incident.id || plan === null || plan.expiresAt <= now || isResidual(one)) continue;
    const left = new Set(superseded.map(({ service }) => service));
    if (plan.targets.some((target) => !left.has(target.service) && keys.includes(targetKey(target))))
      return { id, plan: plan.id };
  }
  for (const key of keys) claims.set(key, incident.id);
  return null;
}
