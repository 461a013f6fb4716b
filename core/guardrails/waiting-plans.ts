import type { Config } from "../config/config.ts";
import { type GateReview, NO_INCIDENT, type Plan } from "../model/plan.ts";
import { rfc3339 } from "../model/time.ts";
import { name } from "../model/untrusted-text.ts";
import type { DamagedIncident, Ledger, LedgerEntry } from "../ports.ts";
import { LEDGER_KINDS } from "./gate-store.ts";
import { planWords } from "./incident-text.ts";
import { planDiff } from "./plan-diff.ts";
import { whyUseless } from "./plan-use.ts";
import { clockText } from "./rule.ts";
import { saidReason } from "./said-reason.ts";
import { reviewIn } from "./written-review.ts";

/** A plan with what the ledger knows of it. */
export interface PlanCase {
  readonly plan: Plan;
  /** What the gate last said of it; null: nothing stands in the ledger. */
  readonly review: GateReview | null;
  readonly answers: readonly { readonly by: string; readonly answer: "approve" | "reject"; readonly at: number }[];
  readonly submitted: boolean;
  /** Why a yes would change nothing; null: it would. */
  readonly useless: string | null;
}

const KINDS = [
  LEDGER_KINDS.planReviewed,
  LEDGER_KINDS.planReserved,
  LEDGER_KINDS.approvalGiven,
  LEDGER_KINDS.approvalRejected,
];

/**
 * The plans that wait for a person at `now` (Unix ms): of open incidents, and those outside any; neither rejected,
 * submitted, over, nor replaced by another one. Oldest first.
 */
export async function waitingPlans(
  ledger: Pick<Ledger, "incidents" | "incident" | "entries" | "plan">,
  now: number,
  onDamaged?: (damaged: DamagedIncident) => void,
): Promise<readonly PlanCase[]> {
  const open = await ledger.incidents({ open: true }, onDamaged);
  const ids = [...open.map(({ id }) => id), NO_INCIDENT];
  const cases = await Promise.all(
    ids.map(async (incidentId) => {
      const entries = await ledger.entries({ incidentId, kinds: KINDS });
      const plans = [...new Set(entries.filter(asksForPerson).flatMap(({ planId }) => planId ?? []))];
      return Promise.all(
        plans.map((id) =>
          caseOf(
            id,
            entries.filter((one) => one.planId === id),
            ledger,
          ),
        ),
      );
    }),
  );
  return cases
    .flat()
    .flatMap((one) => (one !== null && waits(one, now) ? [one] : []))
    .toSorted((a, b) => a.plan.createdAt - b.plan.createdAt);
}

const waits = ({ plan, review, answers, submitted, useless }: PlanCase, now: number): boolean =>
  !submitted &&
  useless === null &&
  plan.expiresAt > now &&
  review?.verdict === "require_approval" &&
  answers.every(({ answer }) => answer === "approve");

/** One plan, waiting or not; null where there is none of this id. */
type Reads = Pick<Ledger, "incident" | "entries" | "plan">;

export async function planCase(id: string, ledger: Reads): Promise<PlanCase | null> {
  const plan = await ledger.plan(id);
  if (plan === null) return null;
  const entries = await ledger.entries({ incidentId: plan.incidentId, kinds: KINDS });
  return caseOf(
    id,
    entries.filter((one) => one.planId === id),
    ledger,
  );
}

async function caseOf(id: string, entries: readonly LedgerEntry[], ledger: Reads): Promise<PlanCase | null> {
  const plan = await ledger.plan(id);
  if (plan === null) return null;
  const answer = { [LEDGER_KINDS.approvalGiven]: "approve", [LEDGER_KINDS.approvalRejected]: "reject" } as const;
  return {
    plan,
    review: reviewIn(entries.findLast(({ kind }) => kind === LEDGER_KINDS.planReviewed)),
    answers: entries.flatMap(({ kind, actor: by, at }) =>
      kind === LEDGER_KINDS.approvalGiven || kind === LEDGER_KINDS.approvalRejected
        ? [{ by, answer: answer[kind], at }]
        : [],
    ),
    submitted: entries.some(({ kind }) => kind === LEDGER_KINDS.planReserved),
    useless: whyUseless(plan, await ledger.incident(plan.incidentId)),
  };
}

const asksForPerson = (entry: LedgerEntry): boolean => reviewIn(entry)?.verdict === "require_approval";

/** A plan that waits, for a terminal: who asks for what, what holds it, who has said yes, and the command that answers it. */
export function planCaseLines({ plan, review, answers }: PlanCase, now: number): readonly string[] {
  const against = review?.rules.filter(({ verdict }) => verdict !== "allow") ?? [];
  const where = plan.incidentId === NO_INCIDENT ? "outside any incident" : `for incident ${plan.incidentId}`;
  const yes = [...new Set(answers.map(({ by }) => by))];
  return [
    `  ${plan.id}  proposed by ${name(plan.proposedBy)}, ${where}: ${planWords(plan)}`,
    `    why: ${saidReason(plan)}`,
    ...against.map(({ rule, reason }) => `    held by ${rule}: ${reason}`),
    ...(yes.length === 0 ? [] : [`    approved by ${yes.map(name).join(", ")}`]),
    `    to be answered until ${clockText(plan.expiresAt, now)}; expiry means no:`,
    `    unship approve ${plan.id}`,
  ];
}

/** A plan as the API shows it: the diff that `unship approve` prints, as data. */
export function planView(
  { plan, review, answers, submitted, useless }: PlanCase,
  config: Pick<Config, "services" | "approvers" | "approval">,
  now: number,
) {
  const { targets, alsoMoves, notCovered, heldBy, mayApprove, peopleNeeded } = planDiff(
    plan,
    config,
    review ?? undefined,
  );
  return {
    id: plan.id,
    hash: plan.hash,
    incident: plan.incidentId === NO_INCIDENT ? null : plan.incidentId,
    proposed_by: plan.proposedBy,
    reason: plan.reason,
    created_at: rfc3339(plan.createdAt),
    expires_at: rfc3339(plan.expiresAt),
    state: stateOf(),
    targets: targets.map((one) => ({
      action: one.action,
      object: one.object,
      service: one.service,
      runs_now: one.runsNow,
      will_run: one.willRun,
    })),
    also_moves: alsoMoves,
    not_covered: notCovered,
    held_by: heldBy.map(({ rule, verdict, reason }) => ({ rule, verdict, reason })),
    may_approve: mayApprove,
    people_needed: peopleNeeded,
    answers: answers.map(({ by, answer, at }) => ({ by, answer, at: rfc3339(at) })),
  };

  function stateOf() {
    if (submitted) return "submitted";
    if (answers.some(({ answer }) => answer === "reject")) return "rejected";
    if (plan.expiresAt <= now) return "expired";
    if (useless !== null) return "superseded";
    if (review?.verdict === "deny") return "denied";
    return review?.verdict === "require_approval" ? "waiting" : "proposed";
  }
}
