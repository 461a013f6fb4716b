import type { RecoveryVerdict } from "../model/incident.ts";
import type { GateAnswer, Plan, Target, TargetResult } from "../model/plan.ts";
import type { LedgerDraft, LedgerEntry } from "../ports.ts";

/** Entry kinds that the gate writes and reads back. Readers of the ledger may rely on these names. */
export const LEDGER_KINDS = {
  planProposed: "plan.proposed",
  /** Somebody asked for a plan that waits already: body `{ by }`. There is one plan a hash. */
  planProposedAgain: "plan.proposed-again",
  planReviewed: "plan.reviewed",
  planReserved: "plan.reserved",
  permitRedeemed: "permit.redeemed",
  targetAttempted: "target.attempted",
  targetFinished: "target.finished",
  planRecovering: "plan.recovering",
  planAnswered: "plan.answered",
  approvalGiven: "approval.given",
  approvalRejected: "approval.rejected",
  approvalRefused: "approval.refused",
  tokenRefused: "token.refused",
  /** Over the network somebody showed what names no approver; body `{ via, reason }`, and `subject` where it was proven. */
  identityRefused: "identity.refused",
  paused: "gate.paused",
  resumed: "gate.resumed",
  /** Written with what people are to hear of, before anything is sent: body `{ about, plan, owner, leaseUntil }`. */
  noticeDue: "notice.due",
  /** A notice is about to be sent to one recipient; body as of the one that says what came of it. */
  noticeBegun: "notice.begun",
  noticeSent: "notice.sent",
  /** Tried, and nobody got it: the body's `detail` says why. */
  noticeUndelivered: "notice.undelivered",
  /** Body `{ service, changeId, kind }`: a later change of the service proved healthy; ends its row of rollbacks. */
  changeHealthy: "change.healthy",
  incidentSaved: "incident.saved",
  /** An approver stopped the pages of an incident for a time; body: `Acknowledged` of `acknowledged.ts`. */
  incidentAcknowledged: "incident.acknowledged",
  /** That is over; body `{ of, because, paged }`: the number of its entry, why, and whether people were paged again. */
  acknowledgementEnded: "acknowledgement.ended",
  /** Somebody acknowledged the incident: nobody was told. Body as of the other notices. */
  noticeSuppressed: "notice.suppressed",
  /** A person took the incident out of the memory; a rebuild leaves it out. */
  knowledgeForgotten: "knowledge.forgotten",
} as const;

/** The scope of a pause that holds for everything. */
export const ALL_SERVICES = "*";

/** Whether a scope, as people write it, is everything. */
export const pausesAll = (scope: string): boolean => ["all", ALL_SERVICES].includes(scope.trim().toLowerCase());

export interface Pause {
  /** A service, or `ALL_SERVICES`. */
  readonly scope: string;
  readonly by: string;
  readonly at: number;
}

/**
 * One target of one reserved plan: the unit that budgets count, and the intent that is open until its result is
 * known. `released`: it certainly wrote nothing, so it counts for no budget.
 */
export interface Intent {
  readonly planId: string;
  readonly position: number;
  readonly incidentId: string;
  readonly target: Target;
  readonly targetKey: string;
  /** What its own system said when it was reserved that would change with it (`TargetState`); absent: not known. */
  readonly reaches?: readonly string[];
  /** The idempotency key that the executor gets on each try. */
  readonly key: string;
  /** Executed without a recorded approval. */
  readonly automatic: boolean;
  readonly reservedAt: number;
  readonly attempts: number;
  /** The process that works on it, and until when another one must leave it alone. */
  readonly owner: string;
  readonly leaseUntil: number;
  readonly result: TargetResult | null;
  readonly finishedAt: number | null;
  readonly released: boolean;
  /** How verification of its plan ended so far; null: not judged yet. */
  readonly recovery: (typeof RecoveryVerdict)["options"][number] | null;
}

export interface Approval {
  readonly planId: string;
  readonly planHash: string;
  readonly answer: "approve" | "reject";
  readonly by: string;
  readonly reason: string;
  readonly at: number;
  readonly expiresAt: number;
  /** The same end by the approving machine's own clock: the store's time may stand still (see `StoreFacts.skewMs`). */
  readonly wallExpiresAt: number;
  /** What the plan concerned by the last review before this answer (`concernedBy`); absent: no review says. */
  readonly shown?: readonly string[];
  /**
   * What the gate itself decided by the last review before this answer: an action, or null where it had no evidence to decide by;
   * absent: no review says.
   */
  readonly decided?: string | null;
  /** A review denied the plan when it was given, or since: the yes could not be used at once. */
  readonly isDeferred?: true;
  /** A review since then ran on a clock that was behind what it was at this answer: how long ago that is, nobody can tell. */
  readonly isOfAnotherTime?: boolean;
  /** What shows that this person gave this answer (`approval-proof.ts` of the gate); absent: nothing does. */
  readonly proof?: string;
}

/** A person's no to another plan, and which targets of this one would undo something that was refused (`sharedUndoing`). */
export interface Refusal extends Pick<Approval, "planId" | "by" | "reason" | "at"> {
  readonly targets: readonly Target[];
}

export interface Permit {
  readonly id: string;
  readonly planId: string;
  readonly planHash: string;
  readonly issuedAt: number;
  readonly expiresAt: number;
  readonly redeemedAt: number | null;
}

/**
 * How the incident that a plan was proposed for stands: `none`: it was proposed outside any; `unknown`: the ledger holds no
 * incident of this id.
 */
export type IncidentStanding = "none" | "open" | "closed" | "unknown";

/** What the ledger knows that bears on one plan, read in one transaction. The plan's own intents are left out, but for `reserved`. */
export interface StoreFacts {
  /** How far the store's time is ahead of this machine's clock, ms ≥ 0: some clock was or is wrong. */
  readonly skewMs: number;
  readonly pauses: readonly Pause[];
  /** Intents that count for budgets and were reserved or finished within the window that was asked for, oldest first. */
  readonly used: readonly Intent[];
  /** Every automatic, unreleased intent of other plans, oldest first: which of them are in a row is the rule's to tell. */
  readonly automatic: readonly Intent[];
  /** When a later change of a service last proved healthy, by service: it ends the service's row of rollbacks. */
  readonly healthy: ReadonlyMap<string, number>;
  /** Open intents of other plans, at whatever targets. */
  readonly busy: readonly Intent[];
  /** Every finished act of ours at one of the plan's targets that may have written, newest first. */
  readonly ownActs: readonly Intent[];
  readonly approvals: readonly Approval[];
  /** How the plan's incident stands at this moment: see `IncidentStanding`. */
  readonly incident: IncidentStanding;
  /** What people said no to in other plans, whatever incident they were for, where this plan would undo some of it; oldest first. */
  readonly refusals: readonly Refusal[];
  /** The plan's own intents, once it was reserved; empty: it was not. */
  readonly reserved: readonly Intent[];
  readonly permit: Permit | null;
  readonly answer: GateAnswer | null;
}

/** One serialised, durable transaction. `now` is the store's time: it never runs backwards. */
export interface GateTransaction {
  readonly now: number;
  append(draft: LedgerDraft): Promise<LedgerEntry>;
  /**
   * Holds what this transaction can decide by against the chain (S1): every entry since the last such look, the signed
   * end where a key is configured, each row of the tables that bear on a plan, the plan itself, and the tables' own
   * constraints, indexes and triggers. Before anything is written in the transaction. Throws `ledger.corrupt` naming the
   * first thing that the chain does not explain: then nothing may be executed.
   */
  trust(plan: Plan): Promise<void>;
  plan(id: string): Promise<Plan | null>;
  savePlan(plan: Plan): Promise<void>;
  /** The plans of this hash whose time is not over, and that no permit was given for; the newest first. */
  livePlans(hash: string): Promise<readonly Plan[]>;
  facts(plan: Plan, windowMs: number): Promise<StoreFacts>;
  intents(filter: { readonly planId?: string; readonly open?: boolean }): Promise<readonly Intent[]>;
  /** Throws `ledger.unavailable` where another plan has an open intent at the same target (unique index). */
  addIntents(intents: readonly Omit<Intent, "recovery">[]): Promise<void>;
  updateIntent(
    planId: string,
    position: number,
    patch: Partial<Pick<Intent, "attempts" | "owner" | "leaseUntil" | "result" | "finishedAt" | "released">>,
  ): Promise<void>;
  /** At most one permit a plan, ever: throws where there is one. */
  addPermit(permit: Permit): Promise<void>;
  permit(planId: string): Promise<Permit | null>;
  /** Compare-and-set: true for the one call that spends a live permit with this id, plan and hash. */
  redeemPermit(permit: Pick<Permit, "id" | "planId" | "planHash">): Promise<boolean>;
  addApproval(approval: Approval): Promise<void>;
  setPause(pause: Pause): Promise<void>;
  /** False where nothing was paused under this scope. */
  clearPause(scope: string): Promise<boolean>;
  /** The bodies of entries of these kinds that were written after a moment, oldest first. */
  bodiesSince(kinds: readonly string[], after: number): Promise<readonly unknown[]>;
  /** How many entries of a kind were written after a moment. */
  countEntries(kind: string, after: number): Promise<number>;
}

/** The transactional part of the ledger, which the gate alone holds. */
export interface GateStore {
  /**
   * Runs `work` alone among all processes that share the store, and makes it durable as a whole, or not at all if
   * it throws. `work` must await nothing but the transaction. Throws `ledger.unavailable` where the store cannot be
   * written.
   */
  transact<T>(work: (tx: GateTransaction) => Promise<T>): Promise<T>;
  /** Reads what `trust` will want to have read, while nobody waits for it. */
  readAhead(): Promise<void>;
}

/** Results after which a target certainly was not written: their unit goes back to the budget. */
export const WROTE_NOTHING: readonly TargetResult["result"][] = ["nothing-to-do", "refused", "stale", "unreachable"];
