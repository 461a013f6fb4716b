import { z } from "zod";
import type { Config } from "../config/config.ts";
import { UnshipError } from "../errors.ts";
import type { Incident } from "../model/incident.ts";
import { type GateReview, NO_INCIDENT, type Plan } from "../model/plan.ts";
import { clockText, rfc3339 } from "../model/time.ts";
import { name } from "../model/untrusted-text.ts";
import type { DamagedIncident, Ledger, LedgerEntry } from "../ports.ts";
import { againstLines, asOfNow, type StandingNow } from "./as-of-now.ts";
import { type AtTheLedger, carriedOutBy } from "./carried-out-by.ts";
import { isDeniedForNow } from "./common-limits.ts";
import { LEDGER_KINDS } from "./gate-store.ts";
import { planWords, unansweredText } from "./incident-text.ts";
import type { PlanApproved } from "./plan-approved.ts";
import { planDiff } from "./plan-diff.ts";
import { whyUseless } from "./plan-use.ts";
import { saidReason } from "./said-reason.ts";
import { reviewIn } from "./written-review.ts";

/** What a person said of a plan. `until`: when a yes is over, Unix ms. */
export interface PlanAnswer {
  readonly by: string;
  readonly answer: "approve" | "reject";
  readonly at: number;
  readonly until: number;
}

/**
 * How a plan stands. `approved`: as many people as it needs said yes, and it is not carried out yet: at the next evaluation, or as
 * soon as nothing denies it any more. `waiting`: for a person's answer, also where it is denied for a time only, and where the
 * gate held it again in spite of a yes.
 */
export type PlanState =
  | "submitted"
  | "rejected"
  | "expired"
  | "superseded"
  | "approved"
  | "denied"
  | "waiting"
  | "proposed";

/** A plan with what the ledger knows of it. */
export interface PlanCase {
  readonly plan: Plan;
  /** What the gate last said of it; null: nothing stands in the ledger. */
  readonly review: GateReview | null;
  readonly answers: readonly PlanAnswer[];
  readonly submitted: boolean;
  /** The gate held it after the newest yes: that one does not count for the plan as it is by now. */
  readonly isHeldAgain: boolean;
  /** Why a yes would change nothing; null: it would. */
  readonly useless: string | null;
}

/** Those that tell of one plan how it stands. */
const KINDS = [
  LEDGER_KINDS.planReviewed,
  LEDGER_KINDS.planReserved,
  LEDGER_KINDS.approvalGiven,
  LEDGER_KINDS.approvalRejected,
];

/**
 * The plans that wait at `now` (Unix ms), for a person or, once approved, for what denies them: all whose time is not over, whatever
 * incident they name, that are neither rejected, submitted, nor replaced by another one. Oldest first. Read from the
 * plans themselves: what can be carried out is listed, whoever proposed it for what.
 */
export async function waitingPlans(
  ledger: Pick<Ledger, "incidents" | "incident" | "entries" | "plan">,
  now: number,
  onDamaged?: (damaged: DamagedIncident) => void,
): Promise<readonly PlanCase[]> {
  const open = new Map((await ledger.incidents({ open: true }, onDamaged)).map((one) => [one.id, one]));
  const incidentOf = async (id: string) => open.get(id) ?? closedOrNone(id, ledger);
  const filed = await ledger.entries({ kinds: [LEDGER_KINDS.planProposed] });
  const living = filed.flatMap(({ planId, body }) =>
    planId !== null && (Expiring.safeParse(body).data?.expiresAt ?? 0) > now ? [planId] : [],
  );
  const cases = await Promise.all(
    living.map(async (id) => {
      const entries = await ledger.entries({ planId: id, kinds: KINDS });
      return entries.some(isForPeople) ? caseOf(id, entries, ledger, incidentOf) : null;
    }),
  );
  return cases
    .flatMap((one) => (one !== null && waits(one, now) ? [one] : []))
    .toSorted((a, b) => a.plan.createdAt - b.plan.createdAt);
}

/** An incident that is not among the open ones; null: there is none, or nobody can read it (of an open one that is said already). */
async function closedOrNone(id: string, ledger: Pick<Ledger, "incident">): Promise<Incident | null> {
  if (id === NO_INCIDENT) return null;
  try {
    return await ledger.incident(id);
  } catch (error) {
    if (error instanceof UnshipError && error.code === "ledger.corrupt") return null;
    throw error;
  }
}

function waits(one: PlanCase, now: number): boolean {
  const state = stateOf(one, now);
  return state === "waiting" || state === "approved";
}

/** See `PlanState`. Pure. */
export function stateOf(one: PlanCase, now: number): PlanState {
  const { plan, review, answers, submitted, useless } = one;
  if (submitted) return "submitted";
  if (answers.some(({ answer }) => answer === "reject")) return "rejected";
  if (plan.expiresAt <= now) return "expired";
  if (useless !== null) return "superseded";
  if (isApproved(one, now)) return "approved";
  if (review?.verdict === "require_approval") return "waiting";
  if (review?.verdict !== "deny") return "proposed";
  // The watch asks the gate again for what others proposed; of its own plan it judges the evidence anew.
  if (plan.proposedBy === "watch") return "denied";
  return isDeniedForNow(review) ? "waiting" : "denied";
}

function isApproved(one: PlanCase, now: number): boolean {
  const needsTwo = one.review?.rules.some(({ rule }) => rule === "two-persons") ?? false;
  return !one.isHeldAgain && livingYes(one, now).length >= (needsTwo ? 2 : 1);
}

/** See `PlanApproved`; null: the plan is not approved, or was carried out. Pure. */
export function approvedOf(one: PlanCase, now: number): PlanApproved | null {
  if (stateOf(one, now) !== "approved") return null;
  const { plan, answers, review } = one;
  const yes = answers.flatMap(({ answer, until }) => (answer === "approve" && until > now ? [until] : []));
  const until = Math.min(plan.expiresAt, Math.max(now, ...yes));
  return { by: livingYes(one, now), until, isDenied: review?.verdict === "deny" };
}

/** Who has said yes to a plan, of whom it counts still. */
export const livingYes = ({ answers }: Pick<PlanCase, "answers">, now: number): readonly string[] => [
  ...new Set(answers.flatMap(({ answer, by, until }) => (answer === "approve" && until > now ? [by] : []))),
];

/** One plan, waiting or not; null where there is none of this id. */
type Reads = Pick<Ledger, "incident" | "entries" | "plan">;

export async function planCase(id: string, ledger: Reads): Promise<PlanCase | null> {
  const plan = await ledger.plan(id);
  if (plan === null) return null;
  return caseOf(id, await ledger.entries({ planId: id, kinds: KINDS }), ledger, (incident) =>
    ledger.incident(incident),
  );
}

async function caseOf(
  id: string,
  entries: readonly LedgerEntry[],
  ledger: Pick<Ledger, "plan">,
  incidentOf: (id: string) => Promise<Incident | null>,
): Promise<PlanCase | null> {
  const plan = await ledger.plan(id);
  if (plan === null) return null;
  const answer = { [LEDGER_KINDS.approvalGiven]: "approve", [LEDGER_KINDS.approvalRejected]: "reject" } as const;
  return {
    plan,
    review: reviewIn(entries.findLast(({ kind }) => kind === LEDGER_KINDS.planReviewed)),
    answers: entries.flatMap(({ kind, actor: by, at, body }) =>
      kind === LEDGER_KINDS.approvalGiven || kind === LEDGER_KINDS.approvalRejected
        ? [{ by, answer: answer[kind], at, until: Expiring.safeParse(body).data?.expiresAt ?? plan.expiresAt }]
        : [],
    ),
    submitted: entries.some(({ kind }) => kind === LEDGER_KINDS.planReserved),
    isHeldAgain: isHeldAgain(entries),
    useless: whyUseless(plan, await incidentOf(plan.incidentId)),
  };
}

function isHeldAgain(entries: readonly LedgerEntry[]): boolean {
  const yes = entries.findLastIndex(({ kind }) => kind === LEDGER_KINDS.approvalGiven);
  return yes >= 0 && entries.slice(yes + 1).some((entry) => reviewIn(entry)?.verdict === "require_approval");
}

const Expiring = z.looseObject({ expiresAt: z.number() });

/** Whether an entry shows that a plan asks people, or was answered by one. */
function isForPeople(entry: LedgerEntry): boolean {
  if (entry.kind === LEDGER_KINDS.approvalGiven) return true;
  const review = entry.kind === LEDGER_KINDS.planReviewed ? reviewIn(entry) : null;
  return review?.verdict === "require_approval" || (review !== null && isDeniedForNow(review));
}

/** What a plan is told by: what stands at present, and who carries it out. */
export interface Surroundings {
  readonly standing: StandingNow;
  readonly at: AtTheLedger;
}

/** A plan that waits, for a terminal: who asks for what, what holds it, who has said yes, and the command that answers it. */
export function planCaseLines(one: PlanCase, { standing, at }: Surroundings): readonly string[] {
  const { plan, review } = one;
  const { now } = standing;
  const where = plan.incidentId === NO_INCIDENT ? "outside any incident" : `for incident ${plan.incidentId}`;
  const yes = livingYes(one, now);
  const approved = approvedOf(one, now);
  return [
    `  ${plan.id}  proposed by ${name(plan.proposedBy)}, ${where}: ${planWords(plan)}`,
    // What is decided by now may differ: the reason is that of the moment when it was filed.
    `    why, at ${clockText(plan.createdAt, now)}: ${saidReason(plan)}`,
    ...(review === null ? [] : againstLines(asOfNow(review, standing)).map((line) => `    ${line}`)),
    ...(approved === null
      ? [
          ...(yes.length === 0 ? [] : [`    approved by ${yes.map(name).join(", ")}, which is not enough`]),
          `    to be answered until ${clockText(plan.expiresAt, now)} (${unansweredText(plan)}):`,
          `    unship approve ${plan.id}`,
        ]
      : approvedLines(plan, approved, { standing, at }).map((line) => `    ${line}`)),
  ];
}

/**
 * What becomes of an approved plan, and how to stop it: "approved by ada: it runs as soon as nothing denies it; the approval is valid
 * until 20:14:58 UTC", "the watch carries it out at its next evaluation".
 */
export function approvedLines(
  plan: Pick<Plan, "id" | "proposedBy">,
  { by, until, isDenied }: PlanApproved,
  { standing: { now }, at }: Surroundings,
): readonly string[] {
  const when = isDenied ? "it runs as soon as nothing denies it" : "it runs unless a rule denies it";
  return [
    `approved by ${by.map(name).join(", ")}: ${when}; the approval is valid until ${clockText(until, now)}`,
    carriedOutBy(plan, at),
    `to stop it: unship reject ${plan.id} --reason "…"`,
  ];
}

/** A plan as the API shows it: the diff that `unship approve` prints, as data. */
export function planView(
  one: PlanCase,
  config: Pick<Config, "services" | "approvers" | "approval">,
  standing: StandingNow,
) {
  const { plan, answers } = one;
  const { now } = standing;
  const review = one.review === null ? null : asOfNow(one.review, standing);
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
    state: stateOf(one, now),
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
}
