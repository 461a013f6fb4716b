import type { Approval, GateTransaction, StoreFacts } from "../../core/guardrails/gate-store.ts";
import { review } from "../../core/guardrails/review.ts";
import type { Rival } from "../../core/guardrails/rivals.ts";
import type { RuleInput } from "../../core/guardrails/rule.ts";
import { DAY_MS } from "../../core/guardrails/rules/auto-rollbacks-per-day.ts";
import { concernedBy, reachedTargets, touchedByPlan } from "../../core/guardrails/touched.ts";
import type { GateReview, Plan } from "../../core/model/plan.ts";
import { enoughApprovals, provenApprovals, unseenBy, whyNotCounted, whyOutgrown } from "./approvals.ts";
import type { Gathered } from "./gather.ts";
import { isOverturned, whyOverturned } from "./overturned.ts";
import { type GateParts, MAX_TARGETS, planHash } from "./parts.ts";

export interface Judgement {
  readonly input: RuleInput;
  readonly facts: StoreFacts;
  readonly review: GateReview;
  /** Live approvals of different people, as many as the plan needs; empty: too few. */
  readonly approvals: readonly Approval[];
  /** What is written down with a review, for the answers that follow it: see `Approval.shown`. */
  readonly shown: {
    readonly concerned: readonly string[];
    readonly clockAt: number;
    /** See `Approval.decided`. */
    readonly decided: string | null;
  };
  /** Every rule allows it, or all that holds it is overruled by a live approval. */
  readonly permitted: boolean;
}

/** Reads what the ledger knows inside the transaction, and runs every rule over it and what was gathered before. */
export async function judge(
  tx: GateTransaction,
  plan: Plan,
  gathered: Gathered,
  parts: Pick<GateParts, "config" | "clock" | "attestation">,
): Promise<Judgement> {
  const { config, clock } = parts;
  const stored = await tx.facts(plan, Math.max(DAY_MS, config.guardrails.cooldownMs));
  const facts: StoreFacts = { ...stored, approvals: provenApprovals(stored.approvals, parts) };
  const input: RuleInput = {
    plan,
    contentHash: planHash(plan),
    now: tx.now,
    policy: config,
    assessment: gathered.assessment,
    targets: gathered.targets,
    traffic: gathered.traffic ?? null,
    rivals: await unreserved(tx, gathered.rivals ?? []),
    problems: gathered.problems ?? {},
    store: facts,
  };
  const times = { now: tx.now, clockNow: clock.now() };
  const touched = touchedByPlan(input);
  const reached = reachedTargets(touched);
  const concerned = concernedBy(touched, config.guardrails.neverAutoRollback);
  const decided = gathered.assessment?.decision.action ?? null;
  const seen = facts.approvals.filter((one) => unseenBy(one, concerned).length === 0 && !isOverturned(one, decided));
  const left = facts.approvals.filter((one) => !seen.some(({ by }) => by === one.by));
  const reaching = asking(
    asking(
      notTooLarge(plan, review(input)),
      "approver-rights",
      whyNotCounted(plan, seen, times, config, reached),
      ", and the plan changes that too",
    ),
    "approved-reach",
    whyOutgrown(left, concerned),
    APPROVE_AGAIN,
  );
  const reviewed = asking(reaching, "approved-decision", whyOverturned(left, decided), APPROVE_AGAIN);
  const approvals = enoughApprovals(plan, seen, times, config, reached);
  const permitted = reviewed.verdict === "allow" || (reviewed.verdict === "require_approval" && approvals.length > 0);
  const shown = { concerned, clockAt: times.clockNow, decided };
  return { input, facts, review: reviewed, approvals, permitted, shown };
}

const APPROVE_AGAIN = "; read the plan as it is now and approve it again";

/** Those that have no permit yet: one that has stands in the budgets already. */
async function unreserved(tx: GateTransaction, rivals: readonly Rival[]): Promise<readonly Rival[]> {
  const waiting: Rival[] = [];
  for (const rival of rivals) if ((await tx.permit(rival.planId)) === null) waiting.push(rival);
  return waiting;
}

/** Denies a plan that no person can read and no look at its targets can finish in time; it stands in the ledger. */
function notTooLarge({ targets }: Plan, reviewed: GateReview): GateReview {
  if (targets.length <= MAX_TARGETS) return reviewed;
  const reason = `the plan would change ${targets.length} objects, and one plan may change ${MAX_TARGETS} at most: roll fewer changes back in one, or do it by hand`;
  return { verdict: "deny", rules: [{ rule: "plan-size", verdict: "deny", reason }, ...reviewed.rules] };
}

/** Says of a plan that is held whose yes does not count for all that would change, so that nobody waits for nothing. */
function asking(reviewed: GateReview, rule: string, reasons: readonly string[], so: string): GateReview {
  if (reviewed.verdict !== "require_approval" || reasons.length === 0) return reviewed;
  const reason = `${[...new Set(reasons)].join("; ")}${so}`;
  return { ...reviewed, rules: [...reviewed.rules, { rule, verdict: "require_approval", reason }] };
}
