import { createHash } from "node:crypto";
import type { Config } from "../../core/config/config.ts";
import { PLAN_LIFETIME_MS } from "../../core/config/plan-lifetime.ts";
import type { GateStore } from "../../core/guardrails/gate-store.ts";
import type { GatePolicy } from "../../core/guardrails/rule.ts";
import { planContent } from "../../core/guardrails/targets.ts";
import type { Assessment } from "../../core/model/assessment.ts";
import type { Plan } from "../../core/model/plan.ts";
import type { Clock, Executor, Ledger, Notifier } from "../../core/ports.ts";
import type { Attestation } from "./approval-proof.ts";
import type { IdentityChecks } from "./identity.ts";
import type { Owner } from "./owner.ts";

/** The part of the configuration that the gate reads; of `server` whose tokens approve nothing. */
export type GateConfig = GatePolicy & Pick<Config, "approvers" | "server">;

/** Requests a second by service, measured now; throws where no source answers. */
export type TrafficReader = (abort: AbortSignal) => Promise<ReadonlyMap<string, number>>;

export interface GateParts {
  readonly config: GateConfig;
  readonly store: Ledger & GateStore;
  /** At most one for each action type. They live in the gate's closure and nowhere else. */
  readonly executors: readonly Executor[];
  /** The gate's own fresh deterministic assessment of these services; throws where it cannot be made. */
  readonly assess: (services: readonly string[], now: number, abort: AbortSignal) => Promise<Assessment>;
  /** Asked only where the file limits the share of traffic; absent: it is not known, and a person is asked. */
  readonly traffic?: TrafficReader;
  readonly clock: Clock;
  readonly notifier: Notifier;
  /** Whether people are notified of each act that was executed; absent: no, as in a replay, where nothing is. */
  readonly notifiesActs?: boolean;
  /** A new unique id on each call. */
  readonly newId: () => string;
  /** What proves who answers beside personal tokens; absent: nothing does. */
  readonly identity?: IdentityChecks;
  /** Vouches for answers whose proof cannot stand in the record; absent: only those count that their approver signed. */
  readonly attestation?: Attestation;
  readonly owner?: Owner;
  readonly limits?: Partial<GateLimits>;
}

export interface GateLimits {
  /** How long a plan may wait, for a person above all. */
  readonly planLifetimeMs: number;
  /** How long an approval may be used; never longer than its plan lives. */
  readonly approvalLifetimeMs: number;
  /** How long after the reservation a target may still be started. */
  readonly permitLifetimeMs: number;
  readonly assessTimeoutMs: number;
  readonly inspectTimeoutMs: number;
  readonly executeTimeoutMs: number;
  /** How long a target may take to come into effect before the next one of its plan is given up. */
  readonly arrivalTimeoutMs: number;
  readonly arrivalPollMs: number;
  /** Pauses before each look at a target whose answer did not come; the number of looks is their number. */
  readonly reconcileDelaysMs: readonly number[];
  /** How long the process that reserved a plan may be silent before another host's process takes it over. */
  readonly leaseMs: number;
  /** Tries of one target, those after a crash or a time-out included. */
  readonly maxAttempts: number;
  /** Wrong tokens that the whole store takes a minute. */
  readonly wrongTokensPerMinute: number;
  /** Refused strangers over the network that are written down one by one in a minute; then one line for all others. */
  readonly strangersPerMinute: number;
  readonly noticeTimeoutMs: number;
  /** Plans of one proposer, other than the watch, of which people are told one by one within an hour. */
  readonly announcedPerHour: number;
}

/**
 * Fifteen minutes for a person to answer is what on-call rotations page with before they escalate (and Kubernaut's
 * default for approvals). A permit is used at once; two minutes leave room for a restart and for nothing else. The
 * lease is longer than one target can take: execute, three looks, and the ledger's patience between. Ten minutes is what
 * Kubernetes itself gives a rollout to progress (`progressDeadlineSeconds`). Whoever asks people for more than one
 * approval in ten minutes is not helping them any more.
 */
export const GATE_LIMITS: GateLimits = {
  planLifetimeMs: PLAN_LIFETIME_MS,
  approvalLifetimeMs: 10 * 60_000,
  permitLifetimeMs: 2 * 60_000,
  assessTimeoutMs: 30_000,
  inspectTimeoutMs: 10_000,
  executeTimeoutMs: 30_000,
  arrivalTimeoutMs: 10 * 60_000,
  arrivalPollMs: 2000,
  reconcileDelaysMs: [0, 500, 2000],
  leaseMs: 3 * 60_000,
  maxAttempts: 2,
  wrongTokensPerMinute: 10,
  strangersPerMinute: 60,
  noticeTimeoutMs: 5000,
  announcedPerHour: 6,
};

/** A plan that would change more objects than this is no rollback of one incident. */
export const MAX_TARGETS = 50;

/** SHA-256 (hex) of what a plan would do. */
export function planHash(plan: Pick<Plan, "incidentId" | "targets">): string {
  return createHash("sha256").update(planContent(plan)).digest("hex");
}
