import { z } from "zod";
import type { Incident } from "../model/incident.ts";
import { GateAnswer, GateReview, type Plan, Target, TargetResult } from "../model/plan.ts";
import type { Ledger, LedgerEntry } from "../ports.ts";
import { LEDGER_KINDS } from "./gate-store.ts";
import { planProgress, progressOf, standsText, type TargetProgress } from "./plan-progress.ts";
import { targetText } from "./targets.ts";

const { planReserved, planRecovering, planAnswered, targetAttempted, targetFinished } = LEDGER_KINDS;
const Reserved = z.looseObject({ review: GateReview });
const Attempted = z.looseObject({ position: z.int(), target: Target });
const Finished = z.looseObject({ position: z.int(), result: TargetResult });

/**
 * The gate's answer to a plan as the ledger's entries tell it, oldest first: true also where whoever was at it died before it
 * was answered (S5). Until it is, its outcome is `in-progress`, and a target that was tried without a result is `unknown`: it may
 * have been written. null: the gate let nothing of it begin.
 */
export function answerByLedger(plan: Plan, entries: readonly LedgerEntry[]): GateAnswer | null {
  const own = entries.filter(({ planId }) => planId === plan.id);
  const reserved = own.findLast(({ kind }) => kind === planReserved);
  if (reserved === undefined) return null;
  const last = own.findLast(({ kind }) => kind === planAnswered || kind === planRecovering);
  const answered = last?.kind === planAnswered ? GateAnswer.safeParse(last.body).data : undefined;
  if (answered !== undefined) return answered;
  const review = Reserved.safeParse(reserved.body).data?.review ?? { verdict: "allow", rules: [] };
  const finished = new Map(
    own.flatMap(({ kind, body }) => {
      const found = kind === targetFinished ? Finished.safeParse(body).data : undefined;
      return found === undefined ? [] : [[found.position, found.result] as const];
    }),
  );
  const triedAt = new Map(
    own.flatMap(({ kind, body, at }) => {
      const found = kind === targetAttempted ? Attempted.safeParse(body).data : undefined;
      return found === undefined ? [] : [[found.position, at] as const];
    }),
  );
  const results = planProgress(plan, own).flatMap((one, position): readonly TargetResult[] => {
    const result = finished.get(position);
    if (result !== undefined) return [result];
    if (one.state !== "begun") return [];
    const at = triedAt.get(position) ?? reserved.at;
    return [{ target: one.target, result: "unknown", detail: standsText(one), at, warnings: [] }];
  });
  return { planId: plan.id, outcome: "in-progress", review, results, executedAt: null };
}

/**
 * The incident with the gate's answer as the ledger has it, where its own record has none to its plan, or one of which a target
 * has not said what came of it: whoever reads it meanwhile must not take that for "nothing was executed" (S9, S15). Pure.
 */
export function withLedgerAnswer(incident: Incident, entries: readonly LedgerEntry[]): Incident {
  const { plan, gate } = incident;
  if (plan === null || (gate?.planId === plan.id && isSettled(gate))) return incident;
  const answer = answerByLedger(plan, entries);
  return answer === null ? incident : { ...incident, gate: answer };
}

const isSettled = ({ outcome, results }: GateAnswer): boolean =>
  (outcome === "executed" || outcome === "stopped" || outcome === "nothing-to-do") &&
  results.every(({ result }) => result !== "unknown");

/** The kinds of entries that say what was done. */
const ACT_KINDS = [planReserved, planRecovering, planAnswered, targetAttempted, targetFinished];

/**
 * `withLedgerAnswer` over the ledger itself, of an incident as a reader finds it: its record keeps what was known when it was last
 * saved, and an act may settle after that, also after the incident was closed. Rejects as the ledger does.
 */
export async function asCarriedOut(incident: Incident, ledger: Pick<Ledger, "entries">): Promise<Incident> {
  const { plan, gate } = incident;
  if (plan === null || (gate?.planId === plan.id && isSettled(gate))) return incident;
  return withLedgerAnswer(incident, await ledger.entries({ planId: plan.id, kinds: ACT_KINDS }));
}

/** What was tried for an incident beside its own plan, a sentence a target; empty: nothing. Rejects as the ledger does. */
export async function otherActTexts(
  { id, plan, gate }: Incident,
  ledger: Pick<Ledger, "entries">,
): Promise<readonly string[]> {
  const entries = await ledger.entries({ incidentId: id, kinds: [targetAttempted, targetFinished] });
  return otherActs(entries, gate?.planId ?? plan?.id ?? null).flatMap(({ planId, targets }) =>
    targets.map((one) => `${planId}: ${targetText(one.target)}: ${standsText(one)}`),
  );
}

/** A plan beside the incident's own of which a target was tried. */
export interface OtherAct {
  readonly planId: string;
  readonly targets: readonly TargetProgress[];
}

/** Plans of these entries beside `planId` of which targets were tried, whoever proposed them; in the order of the first try. */
export function otherActs(entries: readonly LedgerEntry[], planId: string | null): readonly OtherAct[] {
  const tried = entries.flatMap((entry) => {
    const found = entry.kind === targetAttempted ? Attempted.safeParse(entry.body).data : undefined;
    return found === undefined || entry.planId === null || entry.planId === planId
      ? []
      : [{ ...found, planId: entry.planId }];
  });
  return [...Map.groupBy(tried, (one) => one.planId)].map(([other, own]) => {
    const targets = [...new Map(own.map(({ position, target }) => [position, target]))].sort(([a], [b]) => a - b);
    const known = new Map(
      entries.flatMap(({ planId: id, kind, body }) => {
        const found = id === other && kind === targetFinished ? Finished.safeParse(body).data : undefined;
        return found === undefined ? [] : [[found.position, found.result] as const];
      }),
    );
    return {
      planId: other,
      targets: targets.map(([position, target]) => progressOf(target, known.get(position), true)),
    };
  });
}
