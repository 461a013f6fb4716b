import { z } from "zod";
import { UnshipError } from "../../core/errors.ts";
import { type GateTransaction, LEDGER_KINDS } from "../../core/guardrails/gate-store.ts";
import { whyOver } from "../../core/guardrails/plan-use.ts";
import { mayBeSameObject, targetText } from "../../core/guardrails/targets.ts";
import type { Assessment } from "../../core/model/assessment.ts";
import { type GateAnswer, type Plan, REASON_CHARS, Target } from "../../core/model/plan.ts";
import type { Gate, PlanDraft } from "../../core/ports.ts";
import { createActNotices } from "./act-notices.ts";
import { createApprovals } from "./approvals.ts";
import { createTelling } from "./flood.ts";
import { type Gathered, gather } from "./gather.ts";
import { judge } from "./judge.ts";
import { tell } from "./notices.ts";
import { processOwner } from "./owner.ts";
import { pageAgain } from "./page-again.ts";
import { GATE_LIMITS, type GateLimits, type GateParts, planHash } from "./parts.ts";
import { createPatience } from "./patience.ts";
import { redeemPermit } from "./permit.ts";
import { recoverPlans } from "./recover.ts";
import { remind } from "./reminders.ts";
import { entry, reserve } from "./reserve.ts";
import { closeRest, runPlan } from "./run.ts";
import { createRunning } from "./running.ts";
import { untilItWaits } from "./until-it-waits.ts";

const Draft = z.strictObject({
  incidentId: z.string().min(1).max(200),
  targets: z.array(Target).min(1),
  reason: z.string().max(REASON_CHARS),
  proposedBy: z.string().min(1).max(200),
});

/**
 * The one door to production. Plan ids in, answers out: plain data. It gathers its own facts, runs every rule,
 * reserves and writes before it acts, and holds the only executors there are.
 *
 * Throws `plan.unknown`, `input.invalid`, `approval.refused`, `plan.expired`, `plan.changed`, and `ledger.*` where the
 * ledger cannot be written; then nothing was executed that does not stand in it.
 */
export function createGate(given: GateParts): Gate {
  const owner = given.owner ?? processOwner();
  const limits: GateLimits = { ...GATE_LIMITS, ...given.limits };
  const parts = { ...given, ownerId: owner.id };
  const { store } = parts;
  const running = createRunning();
  const patience = createPatience();
  const telling = createTelling();
  const acts = createActNotices(parts, owner, limits, telling);

  async function propose(draft: PlanDraft): ReturnType<Gate["propose"]> {
    const { incidentId, targets, reason, proposedBy } = checkedDraft(draft);
    await mustBeOpen(incidentId);
    const id = parts.newId();
    const hash = planHash({ incidentId, targets });
    const gathered = await gather({ targets, incidentId }, parts, limits);
    return store.transact(async (tx) => {
      const filed = await filedBefore(tx, hash, proposedBy);
      if (filed !== null) {
        await tx.append({ ...entry(filed, LEDGER_KINDS.planProposedAgain, { by: proposedBy }), actor: proposedBy });
        return { plan: filed, review: (await judge(tx, filed, gathered, parts)).review };
      }
      const expiresAt = tx.now + limits.planLifetimeMs;
      const plan: Plan = { id, hash, incidentId, targets, reason, proposedBy, createdAt: tx.now, expiresAt };
      await tx.savePlan(plan);
      await tx.append({ ...entry(plan, LEDGER_KINDS.planProposed, plan), actor: proposedBy });
      const { review, shown } = await judge(tx, plan, gathered, parts);
      await tx.append(entry(plan, LEDGER_KINDS.planReviewed, { outcome: "proposed", review, ...shown }));
      return { plan, review };
    });
  }

  /** What is proposed for an incident that is closed would be carried out where nobody looks: the rules deny it, too. */
  async function mustBeOpen(incidentId: string): Promise<void> {
    const incident = await store.incident(incidentId);
    const over = incident === null ? null : whyOver(incident);
    if (over === null) return;
    const reason = `${over}: nothing more is carried out for it; to propose it outside any incident, leave the incident out`;
    throw new UnshipError("input.invalid", { what: "plan", reason });
  }

  async function submit(planId: string): Promise<GateAnswer> {
    const plan = await store.plan(planId);
    if (plan === null) throw new UnshipError("plan.unknown", { plan: planId });
    const [gathered] = await Promise.all([gather(plan, parts, limits), store.readAhead()]);
    const leave = running.enter(planId);
    const carryOut = async (onWait: () => void): Promise<GateAnswer> => {
      try {
        const answer = await reserveAndRun(plan, gathered, onWait);
        await tellOf(plan, answer, gathered.assessment);
        return answer;
      } finally {
        leave();
      }
    };
    return untilItWaits(plan, parts.clock, carryOut);
  }

  async function tellOf(plan: Plan, answer: GateAnswer, assessment: Assessment | null): Promise<void> {
    if (answer.outcome === "executed") await acts.tell(plan);
    else await tell(parts, limits, plan, answer, assessment, telling);
  }

  async function reserveAndRun(plan: Plan, gathered: Gathered, onWait: () => void): Promise<GateAnswer> {
    const reservation = await store.transact((tx) => reserve(tx, plan, gathered, parts, limits));
    if (reservation.kind === "answer") return reservation.answer;
    const run = { plan, review: reservation.judgement.review, parts, limits, onWait, found: new Map<number, string>() };
    const end = await store.transact(async (tx) =>
      (await redeemPermit(tx, reservation.permit, plan, owner.id))
        ? undefined
        : closeRest(tx, "the permit could not be redeemed", run),
    );
    return end ?? runPlan(run);
  }

  let reminding: Promise<unknown> = Promise.resolve();

  async function recover(): Promise<readonly GateAnswer[]> {
    const told = (plan: Plan, answer: GateAnswer) => tellOf(plan, answer, null);
    const answers = await recoverPlans({ parts, owner, limits, running, patience, told });
    // One after the other, while a call may still wait for a target that hangs: whom to tell is read from who was told.
    const turn = reminding.then(async () => {
      await acts.tellDue();
      await remind(parts, limits, await pageAgain(parts, limits));
    });
    reminding = turn.catch(() => {});
    await turn;
    return answers;
  }

  return { propose, submit, recover, ...createApprovals(parts, limits) };
}

/**
 * The plan that stands for a hash already, so that people are asked once and one yes is enough; null: there is none. One
 * that somebody rejected stands no more. The watch takes up what somebody else filed only where a person has approved
 * it: of its own plans people are always told, and of a client's not.
 */
async function filedBefore(tx: GateTransaction, hash: string, proposedBy: string): Promise<Plan | null> {
  for (const plan of await tx.livePlans(hash)) {
    const { approvals } = await tx.facts(plan, 0);
    if (approvals.some(({ answer }) => answer === "reject")) continue;
    if (proposedBy !== "watch" || plan.proposedBy === "watch" || approvals.length > 0) return plan;
  }
  return null;
}

function checkedDraft(draft: PlanDraft): z.infer<typeof Draft> {
  const checked = Draft.safeParse(draft);
  if (!checked.success) {
    throw new UnshipError("input.invalid", { what: "plan", reason: z.prettifyError(checked.error) });
  }
  const { targets } = checked.data;
  for (const [index, target] of targets.entries()) {
    if (targets.slice(0, index).some((one) => mayBeSameObject(one, target)))
      throw new UnshipError("input.invalid", { what: "plan", reason: `${targetText(target)} is in it twice` });
  }
  return checked.data;
}
