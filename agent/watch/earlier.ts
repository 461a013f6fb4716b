import { LEDGER_KINDS } from "../../core/guardrails/gate-store.ts";
import { isSameUndoing, targetKey } from "../../core/guardrails/targets.ts";
import type { Decision } from "../../core/model/decision.ts";
import type { Incident } from "../../core/model/incident.ts";
import type { Plan, Target } from "../../core/model/plan.ts";
import type { Ledger } from "../../core/ports.ts";

/** The end of a plan that was tried and changed nothing, and the submission of one, in an incident's timeline. */
export const NOTHING_WRITTEN = "nothing was written";
export const SUBMITTED = "submitted";

/** Budgets, cooldowns and pauses end by themselves; nobody should wait much longer than this after they do. */
export const LONGEST_RETRY_MS = 5 * 60_000;

/** What became of the same before: it binds an incident that begins anew as it would have bound one that never ended. */
export interface Earlier {
  /** Whether a person said no to undoing just this, in this incident or in any before it (S4). */
  isRefused(targets: readonly Target[]): Promise<boolean>;
  /** When timeline entries of this name came, in incidents with the same culprit that closed lately; oldest first. */
  before(incident: Incident, event: string): readonly number[];
  /** The same, and those of the incident itself. */
  tries(incident: Incident, event: string): readonly number[];
  closed(incident: Incident, now: number): void;
}

export function createEarlier(ledger: Pick<Ledger, "entries" | "plan">): Earlier {
  /** Plans never change. */
  const plans = new Map<string, Plan | null>();
  let lately: readonly Incident[] = [];
  const before = (incident: Incident, event: string): readonly number[] =>
    lately
      .filter((one) => one.id !== incident.id && isSameCulprit(one.decision, incident.decision))
      .flatMap((one) => timesOf(one, event))
      .sort((a, b) => a - b);
  return {
    async isRefused(targets) {
      for (const { planId } of await ledger.entries({ kinds: [LEDGER_KINDS.approvalRejected] })) {
        if (planId === null) continue;
        const plan = plans.get(planId) ?? (await ledger.plan(planId));
        plans.set(planId, plan);
        if (plan !== null && isSameUndoing(plan.targets, targets)) return true;
      }
      return false;
    },
    before,
    tries: (incident, event) => [...before(incident, event), ...timesOf(incident, event)].sort((a, b) => a - b),
    closed(incident, now) {
      // A pause is never longer: what was tried before that holds nothing any more.
      lately = [...lately, incident].filter(({ closedAt }) => closedAt !== null && now - closedAt <= LONGEST_RETRY_MS);
    },
  };
}

const timesOf = ({ timeline }: Incident, event: string): readonly number[] =>
  timeline.flatMap((entry) => (entry.event === event ? [entry.at] : []));

function isSameCulprit(a: Decision | null, b: Decision | null): boolean {
  const [ours, theirs] = [culprits(a), culprits(b)];
  return ours.some((id) => theirs.includes(id));
}

const culprits = (decision: Decision | null): readonly string[] =>
  decision === null ? [] : [...decision.changeIds, ...(decision.culprit === null ? [] : [decision.culprit.changeId])];

/**
 * The open incident whose plan would change one of these objects, which is usable still; undefined: none. One object is
 * never in two open plans: the first of them decides, and what changed since is judged when it is over (S2).
 */
export function holderOf(
  targets: readonly Target[],
  incident: Incident,
  open: readonly Incident[],
  now: number,
): Incident | undefined {
  const keys = new Set(targets.map(targetKey));
  return open.find(({ id, plan, superseded = [] }) => {
    if (id === incident.id || plan === null || plan.expiresAt <= now) return false;
    const left = new Set(superseded.map(({ service }) => service));
    return plan.targets.some((target) => !left.has(target.service) && keys.has(targetKey(target)));
  });
}
