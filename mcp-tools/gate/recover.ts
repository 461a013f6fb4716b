import { z } from "zod";
import { type GateTransaction, type Intent, LEDGER_KINDS } from "../../core/guardrails/gate-store.ts";
import { type GateAnswer, GateReview, type Plan } from "../../core/model/plan.ts";
import { withMoment } from "./carried-out.ts";
import { executorFor, gather } from "./gather.ts";
import { judge } from "./judge.ts";
import type { Owner } from "./owner.ts";
import type { GateLimits, GateParts } from "./parts.ts";
import type { Patience } from "./patience.ts";
import { redeemPermit } from "./permit.ts";
import { entry } from "./reserve.ts";
import { closeRest, finishTry, type Run, runPlan } from "./run.ts";
import type { Running } from "./running.ts";
import { settle, unasked } from "./settle.ts";
import { untilItWaits } from "./until-it-waits.ts";

export interface RecoveryParts {
  readonly parts: GateParts & { readonly ownerId: string };
  readonly owner: Owner;
  readonly limits: GateLimits;
  readonly running: Running;
  readonly patience: Patience;
  /** Called with the end of each plan that was taken up, also where that comes later. */
  readonly told: (plan: Plan, answer: GateAnswer) => Promise<void>;
}

/**
 * Takes over every plan that a dead process left open, or that was left with an unknown result: first each open
 * intent is reconciled with its target's real state; then, if the permit still lives and every rule still allows it,
 * what was not done is tried once more under the same key; otherwise it is closed and reported (S5). A plan whose
 * result cannot be found out is left alone for a while, longer each time, so that this may be called at any rate.
 * Plans are settled side by side, since no two of them have a target in common; and a call does not wait for what an
 * earlier one is still settling, so that a target that hangs keeps no other plan from being taken up.
 */
export async function recoverPlans(recovery: RecoveryParts): Promise<readonly GateAnswer[]> {
  const leave = new Map<string, () => void>();
  const left = (planId: string) => {
    leave.get(planId)?.();
    leave.delete(planId);
  };
  const late: string[] = [];
  try {
    const claimed = await recovery.parts.store.transact(async (tx) => {
      const plans = await claim(tx, recovery);
      for (const { id } of plans) leave.set(id, recovery.running.enter(id));
      return plans;
    });
    const takenUp = async (plan: Plan): Promise<GateAnswer> => {
      const carryOut = async (onWait: () => void): Promise<GateAnswer> => {
        try {
          return await takeUp(plan, recovery, onWait);
        } finally {
          left(plan.id);
        }
      };
      const answer = await untilItWaits(plan, recovery.parts.clock, carryOut);
      if (answer.outcome === "in-progress") late.push(plan.id);
      return answer;
    };
    // Side by side: a target that hangs keeps no other plan from being settled. All end before any failure is thrown on.
    const ends = await Promise.allSettled(claimed.map(takenUp));
    return ends.map((end) => {
      if (end.status === "fulfilled") return end.value;
      throw end.reason;
    });
  } finally {
    for (const planId of [...leave.keys()]) if (!late.includes(planId)) left(planId);
  }
}

async function takeUp(plan: Plan, recovery: RecoveryParts, onWait: () => void): Promise<GateAnswer> {
  const answer = await resumePlan(plan, recovery, onWait);
  const known = answer.results.every(({ result }) => result !== "unknown");
  if (known) recovery.patience.settled(plan.id);
  else recovery.patience.failed(plan.id, recovery.parts.clock.now());
  await recovery.told(plan, answer);
  return answer;
}

async function claim(tx: GateTransaction, recovery: RecoveryParts): Promise<readonly Plan[]> {
  const { owner, running, limits, patience, parts } = recovery;
  const left = (await tx.intents({ open: true })).filter(
    (intent) =>
      !running.has(intent.planId) &&
      patience.due(intent.planId, parts.clock.now()) &&
      (intent.owner === owner.id || owner.gone(intent.owner) || intent.leaseUntil <= tx.now),
  );
  const plans: Plan[] = [];
  for (const planId of new Set(left.map((intent) => intent.planId))) {
    const plan = await tx.plan(planId);
    if (plan === null) continue;
    const mine = left.filter((intent) => intent.planId === planId);
    for (const { position } of mine) {
      await tx.updateIntent(planId, position, { owner: owner.id, leaseUntil: tx.now + limits.leaseMs });
    }
    const from = [...new Set(mine.map((intent) => intent.owner))];
    await tx.append(
      entry(plan, LEDGER_KINDS.planRecovering, {
        positions: mine.map(({ position }) => position),
        from,
        owner: owner.id,
      }),
    );
    plans.push(plan);
  }
  return plans;
}

async function resumePlan(plan: Plan, { parts, limits }: RecoveryParts, onWait: () => void): Promise<GateAnswer> {
  const { store } = parts;
  const open = await store.transact((tx) => tx.intents({ planId: plan.id, open: true }));
  const review = await reviewAtReservation(plan, parts);
  const run: Run = { plan, review, parts, limits, onWait, found: new Map() };
  for (const intent of open) {
    const end = await reconcile(intent, run);
    if (end !== undefined) return end;
  }
  const left = await store.transact((tx) => tx.intents({ planId: plan.id, open: true }));
  const gathered = await gather({ targets: left.map(({ target }) => target) }, parts, limits);
  const next = await store.transact(async (tx): Promise<{ readonly end: GateAnswer } | { readonly run: Run }> => {
    await tx.trust(plan);
    const judgement = await judge(tx, plan, gathered, parts);
    const judged: Run = { ...run, review: judgement.review };
    const reason = await whyNot(tx, plan, left, judgement, judged);
    return reason === undefined ? { run: judged } : { end: await closeRest(tx, reason, judged) };
  });
  return "end" in next ? next.end : runPlan(next.run);
}

/** What the rules said when the plan was reserved, for the answer of a plan that needs no new look at them. */
async function reviewAtReservation(plan: Plan, { store }: GateParts): Promise<GateReview> {
  const kinds = [LEDGER_KINDS.planReserved];
  const reserved = (await store.entries({ incidentId: plan.incidentId, kinds })).find(
    ({ planId }) => planId === plan.id,
  );
  const body = z.object({ review: GateReview }).safeParse(reserved?.body);
  return body.success ? body.data.review : { verdict: "allow", rules: [] };
}

/** Settles one intent; the plan's answer where that ends it, else undefined. */
async function reconcile(intent: Intent, run: Run): Promise<GateAnswer | undefined> {
  const { parts, limits } = run;
  const executor = executorFor(intent.target, parts.executors);
  // An intent without an attempt was certainly never sent: there is nothing to find out.
  if (intent.attempts === 0) return undefined;
  const settlement =
    executor === undefined
      ? unasked(
          intent,
          "nothing here can ask the target: the file that it was tried with named its system",
          parts.clock,
        )
      : await withMoment(await settle(executor, intent, parts.clock, limits), intent, parts);
  if (settlement.kind === "not-done") {
    run.found.set(intent.position, settlement.detail);
    return undefined;
  }
  return parts.store.transact((tx) => finishTry(tx, intent, settlement.result, run));
}

/** Why what is left of a plan may not be tried again; undefined: it may. */
async function whyNot(
  tx: GateTransaction,
  plan: Plan,
  left: readonly Intent[],
  judgement: Awaited<ReturnType<typeof judge>>,
  run: Run,
): Promise<string | undefined> {
  const permit = judgement.facts.permit;
  if (permit === null || permit.expiresAt <= tx.now) return "the permit expired before the restart was over";
  if (left.some(({ attempts }) => attempts >= run.limits.maxAttempts)) return "it was tried before and nothing changed";
  if (!judgement.permitted) {
    const spoke = judgement.review.rules.filter(({ verdict }) => verdict !== "allow");
    return `after the restart the rules no longer allow it: ${spoke.map(({ reason }) => reason).join("; ")}`;
  }
  if (permit.redeemedAt !== null) return undefined;
  return (await redeemPermit(tx, permit, plan, run.parts.ownerId)) ? undefined : "the permit could not be redeemed";
}
