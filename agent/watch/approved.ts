import { LEDGER_KINDS } from "../../core/guardrails/gate-store.ts";
import { whyOver, whyUseless } from "../../core/guardrails/plan-use.ts";
import type { GateAnswer, Plan } from "../../core/model/plan.ts";
import type { Clock, Gate, Ledger } from "../../core/ports.ts";
import { RETRY_STEPS } from "./acting.ts";

export interface ApprovedParts {
  readonly ledger: Pick<Ledger, "entries" | "plan" | "incident">;
  readonly gate: Pick<Gate, "submit">;
  readonly clock: Clock;
  readonly stepMs: number;
  /** Called with what came of each plan that the gate did not merely hold. */
  readonly told: (plan: Plan, answer: GateAnswer) => void;
}

/**
 * Carries out what a person approved and somebody else than the watch proposed: whoever proposed it may be gone, and a
 * yes is to that plan and not to a client. The gate checks every rule once more, and a plan is executed once, whoever
 * else submits it meanwhile. A plan that is denied (a pause, say) is tried again while its time is not over; one that
 * needs another person waits for their answer. The watch goes on with its own plans itself.
 */
export interface ApprovedDesk {
  look(): Promise<void>;
}

export function createApprovedDesk({ ledger, gate, clock, stepMs, told }: ApprovedParts): ApprovedDesk {
  /** Plan → when it was tried last, Unix ms; null: not since its newest yes. */
  const waiting = new Map<string, number | null>();
  let read = 0;

  async function goOn(planId: string): Promise<void> {
    const plan = await ledger.plan(planId);
    const incident = plan === null ? null : await ledger.incident(plan.incidentId);
    const useless = plan === null ? null : whyUseless(plan, incident);
    const isOver = incident !== null && whyOver(incident) !== null;
    // Of what is over with its incident the gate says so: a yes does not come to nothing without a word.
    if (
      plan === null ||
      plan.proposedBy === "watch" ||
      plan.expiresAt <= clock.now() ||
      (useless !== null && !isOver)
    ) {
      waiting.delete(planId);
      return;
    }
    const answer = await gate.submit(planId);
    waiting.set(planId, clock.now());
    if (answer.outcome === "held") return;
    told(plan, answer);
    if (isOver || (answer.outcome !== "denied" && answer.outcome !== "in-progress")) waiting.delete(planId);
  }

  return {
    async look() {
      for (const { seq, planId } of await ledger.entries({ kinds: [LEDGER_KINDS.approvalGiven], afterSeq: read })) {
        read = seq;
        if (planId !== null) waiting.set(planId, null);
      }
      for (const [planId, tried] of [...waiting]) {
        if (tried === null || clock.now() - tried >= RETRY_STEPS * stepMs) await goOn(planId);
      }
    },
  };
}
