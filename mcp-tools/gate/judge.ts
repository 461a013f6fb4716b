import type { Approval, GateTransaction, StoreFacts } from "../../core/guardrails/gate-store.ts";
import { review } from "../../core/guardrails/review.ts";
import type { RuleInput } from "../../core/guardrails/rule.ts";
import { DAY_MS } from "../../core/guardrails/rules/auto-rollbacks-per-day.ts";
import type { GateReview, Plan } from "../../core/model/plan.ts";
import { enoughApprovals } from "./approvals.ts";
import type { Gathered } from "./gather.ts";
import { type GateParts, planHash } from "./parts.ts";

export interface Judgement {
  readonly input: RuleInput;
  readonly facts: StoreFacts;
  readonly review: GateReview;
  /** Live approvals of different people, as many as the plan needs; empty: too few. */
  readonly approvals: readonly Approval[];
  /** Every rule allows it, or all that holds it is overruled by a live approval. */
  readonly permitted: boolean;
}

/** Reads what the ledger knows inside the transaction, and runs every rule over it and what was gathered before. */
export async function judge(
  tx: GateTransaction,
  plan: Plan,
  gathered: Gathered,
  parts: Pick<GateParts, "config" | "clock">,
): Promise<Judgement> {
  const { config, clock } = parts;
  const facts = await tx.facts(plan, Math.max(DAY_MS, config.guardrails.cooldownMs));
  const input: RuleInput = {
    plan,
    contentHash: planHash(plan),
    now: tx.now,
    policy: config,
    assessment: gathered.assessment,
    targets: gathered.targets,
    traffic: gathered.traffic ?? null,
    problems: gathered.problems ?? {},
    store: facts,
  };
  const reviewed = review(input);
  const approvals = enoughApprovals(plan, facts.approvals, { now: tx.now, clockNow: clock.now() }, config);
  const permitted = reviewed.verdict === "allow" || (reviewed.verdict === "require_approval" && approvals.length > 0);
  return { input, facts, review: reviewed, approvals, permitted };
}
