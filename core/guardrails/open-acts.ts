import { z } from "zod";
import { GateAnswer, type Plan } from "../model/plan.ts";
import type { Ledger, LedgerEntry } from "../ports.ts";
import { LEDGER_KINDS } from "./gate-store.ts";
import { planProgress, type TargetProgress } from "./plan-progress.ts";

/** An act that is not settled: a plan that was begun and not answered, or of which a target has not said what came of it. */
export interface OpenAct {
  readonly plan: Plan;
  readonly targets: readonly TargetProgress[];
  /** When the gate reserved it, Unix ms. */
  readonly begunAt: number;
  /** The process that is at it, or was last; null: none is said to be, since it was answered. */
  readonly owner: string | null;
}

const { planReserved, planRecovering, planAnswered, targetAttempted, targetFinished } = LEDGER_KINDS;

/**
 * Every act that is not settled, whoever proposed its plan, in an incident or outside any, in whatever stage that is; oldest
 * first. What the ledger holds of it is true also after a process died in the middle of it (S5).
 */
export async function openActs(ledger: Pick<Ledger, "entries" | "plan">): Promise<readonly OpenAct[]> {
  const entries = await ledger.entries({ kinds: [planReserved, planRecovering, planAnswered] });
  const byPlan = Map.groupBy(entries, ({ planId }) => planId);
  const open = [...byPlan].filter(([planId, own]) => planId !== null && !isSettled(own.at(-1)));
  const acts = await Promise.all(open.map(([planId, own]) => actOf(planId ?? "", own, ledger)));
  return acts.filter((act) => act !== null).toSorted((a, b) => a.begunAt - b.begunAt);
}

async function actOf(
  planId: string,
  own: readonly LedgerEntry[],
  ledger: Pick<Ledger, "entries" | "plan">,
): Promise<OpenAct | null> {
  const plan = await ledger.plan(planId);
  if (plan === null) return null;
  const last = own.at(-1);
  return {
    plan,
    targets: planProgress(plan, await ledger.entries({ planId, kinds: [targetAttempted, targetFinished] })),
    begunAt: own[0]?.at ?? plan.createdAt,
    owner: last?.kind === planAnswered ? null : (Owned.safeParse(last?.body).data?.owner ?? null),
  };
}

const Owned = z.looseObject({ owner: z.string() });

/** Whether the newest entry of a plan is an answer that says of each target what came of it. */
function isSettled(last: LedgerEntry | undefined): boolean {
  if (last?.kind !== planAnswered) return false;
  const answer = GateAnswer.safeParse(last.body);
  return !answer.success || answer.data.results.every(({ result }) => result !== "unknown");
}
