import { type GateTransaction, type Intent, LEDGER_KINDS, type Permit } from "../../core/guardrails/gate-store.ts";
import { positionOf, targetKey } from "../../core/guardrails/targets.ts";
import type { GateAnswer, GateReview, Plan, TargetResult } from "../../core/model/plan.ts";
import { clockText } from "../../core/model/time.ts";
import { executorFor, type Gathered } from "./gather.ts";
import { type Judgement, judge } from "./judge.ts";
import type { GateLimits, GateParts } from "./parts.ts";
import { issuePermit } from "./permit.ts";

/** Either the answer at once, or the right to go on: a permit, with every unit reserved and every intent written. */
export type Reservation =
  | { readonly kind: "answer"; readonly answer: GateAnswer }
  | { readonly kind: "reserved"; readonly permit: Permit; readonly judgement: Judgement };

/**
 * The one transaction that decides: reads budgets, pauses and approvals anew, runs every rule, and either writes why
 * not, or reserves all units of the plan and writes an intent for each target. Nothing acts before it is durable.
 */
export async function reserve(
  tx: GateTransaction,
  plan: Plan,
  gathered: Gathered,
  parts: GateParts & { readonly ownerId: string },
  limits: GateLimits,
): Promise<Reservation> {
  await tx.trust(plan);
  const judgement = await judge(tx, plan, gathered, parts);
  const { facts, approvals } = judgement;
  if (facts.permit !== null)
    return { kind: "answer", answer: facts.answer ?? inProgress(plan, facts.permit.issuedAt, tx.now) };
  const outcome = outcomeOf(judgement);
  await tx.append(
    entry(plan, LEDGER_KINDS.planReviewed, {
      outcome: outcome ?? "permitted",
      review: judgement.review,
      ...judgement.shown,
    }),
  );
  if (outcome !== undefined) return { kind: "answer", answer: answerWithout(plan, outcome, judgement, tx.now) };
  const permit = await issuePermit(tx, plan, parts.newId(), permitLifetime(plan, parts, limits));
  const automatic = approvals.length === 0;
  const intents = plan.targets.map((target, position): Omit<Intent, "recovery"> => {
    const reaches = gathered.targets.find((one) => targetKey(one.target) === targetKey(target))?.state?.reaches;
    return {
      planId: plan.id,
      position,
      incidentId: plan.incidentId,
      target,
      targetKey: targetKey(target),
      // Rules of later plans ask whom this act touched, when nothing can tell any more.
      ...(reaches === undefined ? {} : { reaches }),
      key: `${plan.id}:${position}`,
      automatic,
      reservedAt: tx.now,
      attempts: 0,
      owner: parts.ownerId,
      leaseUntil: tx.now + limits.leaseMs,
      result: null,
      finishedAt: null,
      released: false,
    };
  });
  await tx.addIntents(intents);
  await tx.append(
    entry(plan, LEDGER_KINDS.planReserved, {
      permit: permit.id,
      owner: parts.ownerId,
      permitExpiresAt: permit.expiresAt,
      planHash: plan.hash,
      review: judgement.review,
      automatic,
      approvedBy: automatic ? null : approvals.map(({ by }) => by).join(", "),
      units: intents.length,
      intents: intents.map(({ position, key, target, reaches }) => ({
        position,
        key,
        target,
        ...(reaches === undefined ? {} : { reaches }),
      })),
      // What verification compares with must outlive this process (S5).
      baselines: gathered.assessment?.baselines ?? [],
    }),
  );
  return { kind: "reserved", permit, judgement };
}

/** Between two targets of a plan the permit also has to outlive the time that the first may take to come into effect. */
function permitLifetime({ targets }: Plan, { executors }: GateParts, limits: GateLimits): number {
  const waits = targets.slice(0, -1).filter((target) => executorFor(target, executors)?.arrived !== undefined);
  return limits.permitLifetimeMs + waits.length * limits.arrivalTimeoutMs;
}

/** What ends it here; undefined: nothing does, it may run. */
function outcomeOf({ review, permitted, input }: Judgement): "denied" | "held" | "nothing-to-do" | undefined {
  if (review.verdict === "deny") return "denied";
  const restored = input.targets.every(
    ({ target, state }) => state !== null && positionOf(target, state) === "restored",
  );
  if (restored) return "nothing-to-do";
  return permitted ? undefined : "held";
}

function answerWithout(
  plan: Plan,
  outcome: "denied" | "held" | "nothing-to-do",
  { review, input }: Judgement,
  now: number,
): GateAnswer {
  const results =
    outcome === "nothing-to-do"
      ? input.targets.map(
          ({ target, state }): TargetResult => ({
            target,
            result: "nothing-to-do",
            detail: `already at ${state?.version ?? target.restore.version}`,
            at: now,
            warnings: [...(state?.warnings ?? [])],
          }),
        )
      : [];
  return { planId: plan.id, outcome, review, results, executedAt: null };
}

/** The plan is another call's and has no answer yet: it must not run again, and its end is not known. */
export function inProgress(plan: Plan, since: number, now: number): GateAnswer {
  const reason = `the plan has been executing since ${clockText(since, now)}; ask again for its result`;
  const review: GateReview = { verdict: "deny", rules: [{ rule: "in-progress", verdict: "deny", reason }] };
  return { planId: plan.id, outcome: "in-progress", review, results: [], executedAt: null };
}

/** An entry of the gate about a plan. */
export function entry(plan: Plan, kind: string, body: unknown) {
  return { kind, incidentId: plan.incidentId, planId: plan.id, actor: "gate", body };
}
