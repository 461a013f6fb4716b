import { executedBy } from "../../core/guardrails/approved-by.ts";
import { LEDGER_KINDS } from "../../core/guardrails/gate-store.ts";
import { planWords } from "../../core/guardrails/incident-text.ts";
import { writtenTargets } from "../../core/model/deed.ts";
import type { Incident, WayBack } from "../../core/model/incident.ts";
import { GateAnswer, type NO_INCIDENT, type Plan, type Target } from "../../core/model/plan.ts";
import type { Ledger, LedgerEntry } from "../../core/ports.ts";

type Reads = Pick<Ledger, "entries" | "plan">;

/** An act of ours that no part of an incident is: a plan outside any incident, or of another one. */
export interface OutsideAct {
  readonly plan: Plan;
  readonly answer: GateAnswer;
  /** When it was done, or else answered; Unix ms. */
  readonly at: number;
  /** What it wrote, or may have written. */
  readonly targets: readonly Target[];
}

/** Acts that were done after `since` and until `until` and are no part of this incident, oldest first; `of`: those alone. */
export async function outsideActs(
  { id, gate }: Pick<Incident, "id" | "gate">,
  { since, until }: { readonly since: number; readonly until: number },
  ledger: Reads,
  of?: typeof NO_INCIDENT,
): Promise<readonly OutsideAct[]> {
  const kinds = [LEDGER_KINDS.planAnswered];
  const entries = await ledger.entries({ kinds, ...(of === undefined ? {} : { incidentId: of }) });
  const others = entries.filter(
    ({ at, incidentId, planId }) => at > since && incidentId !== id && planId !== gate?.planId,
  );
  const acts = await Promise.all(others.map((entry) => actIn(entry, ledger)));
  return [...new Map(acts.flatMap((act) => (act === null ? [] : [[act.plan.id, act] as const]))).values()]
    .filter(({ at }) => at > since && at <= until)
    .toSorted((a, b) => a.at - b.at);
}

async function actIn({ planId, body, at }: LedgerEntry, ledger: Reads): Promise<OutsideAct | null> {
  const answer = GateAnswer.safeParse(body);
  const targets = answer.success ? writtenTargets({ gate: answer.data }) : [];
  const plan = planId === null || targets.length === 0 ? null : await ledger.plan(planId);
  if (plan === null || !answer.success) return null;
  return { plan, answer: answer.data, at: answer.data.executedAt ?? at, targets };
}

/** The act as people read how the signals came back. */
export async function actOfWayBack({ plan, targets }: OutsideAct, ledger: Reads): Promise<NonNullable<WayBack["act"]>> {
  const by = (await executedBy(ledger, plan.id)) ?? [];
  return { plan: plan.id, does: planWords({ targets }), by: [...by] };
}
