import { createHash, timingSafeEqual } from "node:crypto";
import type { Approver } from "../../core/config/config.ts";
import { UnshipError } from "../../core/errors.ts";
import { peopleOf, twoPersonReasons, whyNotFor } from "../../core/guardrails/approver-rights.ts";
import { ALL_SERVICES, type Approval, type GateTransaction, LEDGER_KINDS } from "../../core/guardrails/gate-store.ts";
import { skeleton } from "../../core/guardrails/names.ts";
import { clockText } from "../../core/guardrails/rule.ts";
import type { Plan } from "../../core/model/plan.ts";
import type { Gate } from "../../core/ports.ts";
import { type GateConfig, type GateLimits, type GateParts, planHash } from "./parts.ts";

const MINUTE_MS = 60_000;

type Answer<T> = { readonly value: T } | { readonly refusal: UnshipError };

/**
 * What only a person with a personal token can do: approve, reject, resume. The token is compared by its SHA-256 in
 * constant time and stands nowhere. Every answer and every refusal stands in the ledger, and too many wrong tokens
 * close this door for a minute, for right ones too, since otherwise the limit would tell which token is right.
 */
export function createApprovals(
  parts: GateParts,
  limits: GateLimits,
): Pick<Gate, "approve" | "reject" | "pause" | "resume"> {
  const { config, store, clock } = parts;

  /** Runs `act` for the person whom the token names; a refusal is written down before it is thrown. */
  async function asApprover<T>(
    token: string,
    planId: string | null,
    act: (tx: GateTransaction, approver: Approver) => Promise<T>,
  ): Promise<T> {
    const answer = await store.transact(async (tx): Promise<Answer<T>> => {
      const wrong = await tx.countEntries(LEDGER_KINDS.tokenRefused, tx.now - MINUTE_MS);
      if (wrong >= limits.wrongTokensPerMinute) return { refusal: refused("too many wrong tokens; wait a minute") };
      const approver = approverOf(token, config.approvers);
      if (approver === undefined) {
        await tx.append({ kind: LEDGER_KINDS.tokenRefused, incidentId: null, planId, actor: "unknown", body: {} });
        return { refusal: refused("this token is no approver's") };
      }
      try {
        return { value: await act(tx, approver) };
      } catch (error) {
        if (!(error instanceof UnshipError) || error.code.startsWith("ledger.")) throw error;
        const body = { reason: error.message };
        const actor = approver.name;
        await tx.append({ kind: LEDGER_KINDS.approvalRefused, incidentId: null, planId, actor, body });
        return { refusal: error };
      }
    });
    if ("refusal" in answer) throw answer.refusal;
    return answer.value;
  }

  async function openPlan(tx: GateTransaction, planId: string, approver: Approver): Promise<Plan> {
    const plan = await tx.plan(planId);
    if (plan === null) throw new UnshipError("plan.unknown", { plan: planId });
    if (planHash(plan) !== plan.hash) throw new UnshipError("plan.changed", { plan: planId });
    if (tx.now >= plan.expiresAt) {
      throw new UnshipError("plan.expired", { plan: planId, at: clockText(plan.expiresAt, tx.now) });
    }
    if ((await tx.permit(planId)) !== null) throw refused("the plan was submitted and is settled");
    for (const target of plan.targets) {
      const why = whyNotFor(approver, target, config.services);
      if (why !== null) throw refused(why);
    }
    return plan;
  }

  async function record(tx: GateTransaction, plan: Plan, approval: Approval): Promise<void> {
    await tx.addApproval(approval);
    const kind = approval.answer === "approve" ? LEDGER_KINDS.approvalGiven : LEDGER_KINDS.approvalRejected;
    await tx.append({
      kind,
      incidentId: plan.incidentId,
      planId: plan.id,
      actor: approval.by,
      body: { planHash: approval.planHash, expiresAt: approval.expiresAt, reason: approval.reason },
    });
  }

  return {
    approve: (planId, token) =>
      asApprover(token, planId, async (tx, approver) => {
        const plan = await openPlan(tx, planId, approver);
        if (isSamePerson(plan.proposedBy, approver.name)) throw refused("nobody approves a plan of their own");
        const { approvals } = await tx.facts(plan, 0);
        const no = approvals.find(({ answer }) => answer === "reject");
        if (no !== undefined) throw refused(`${no.by} rejected this plan; ask for a new one`);
        const expiresAt = Math.min(plan.expiresAt, tx.now + limits.approvalLifetimeMs);
        const approval: Approval = {
          planId,
          planHash: plan.hash,
          answer: "approve",
          by: approver.name,
          reason: "",
          at: tx.now,
          expiresAt,
          wallExpiresAt: clock.now() + (expiresAt - tx.now),
        };
        await record(tx, plan, approval);
        const times = { now: tx.now, clockNow: clock.now() };
        const people = liveApprovals(plan, [...approvals, approval], times, config).length;
        return { by: approver.name, expiresAt, stillNeeded: Math.max(0, peopleNeeded(plan, config) - people) };
      }),
    reject: (planId, token, reason) =>
      asApprover(token, planId, async (tx, approver) => {
        const plan = await openPlan(tx, planId, approver);
        await record(tx, plan, {
          planId,
          planHash: plan.hash,
          answer: "reject",
          by: approver.name,
          reason,
          at: tx.now,
          expiresAt: plan.expiresAt,
          wallExpiresAt: clock.now() + (plan.expiresAt - tx.now),
        });
        return { by: approver.name };
      }),
    async pause(scope, by) {
      const named = scopeOf(scope);
      await store.transact(async (tx) => {
        await tx.setPause({ scope: named, by, at: tx.now });
        const body = { scope: named };
        await tx.append({ kind: LEDGER_KINDS.paused, incidentId: null, planId: null, actor: by, body });
      });
    },
    resume: (scope, token) =>
      asApprover(token, null, async (tx, approver) => {
        const named = scopeOf(scope);
        if (!mayResume(approver, named)) throw refused(`${approver.name} may not resume ${named}`);
        if (!(await tx.clearPause(named))) {
          throw new UnshipError("input.invalid", {
            what: `resume ${named}`,
            reason: "nothing is paused under this name",
          });
        }
        const body = { scope: named };
        await tx.append({ kind: LEDGER_KINDS.resumed, incidentId: null, planId: null, actor: approver.name, body });
        return { by: approver.name };
      }),
  };
}

type ApprovalConfig = Pick<GateConfig, "approvers" | "approval" | "services">;
interface Times {
  readonly now: number;
  readonly clockNow: number;
}

/**
 * The approvals that let this plan run now: of this very hash, not over by the ledger's time nor by this machine's
 * clock, by people who still may approve each of its targets; the newest of each person. Empty where two different
 * people are needed and only one has said yes.
 */
export function enoughApprovals(
  plan: Plan,
  approvals: readonly Approval[],
  times: Times,
  config: ApprovalConfig,
): readonly Approval[] {
  const live = liveApprovals(plan, approvals, times, config);
  return live.length >= peopleNeeded(plan, config) ? live : [];
}

/** How many different people must approve a plan. */
export const peopleNeeded = (plan: Plan, config: ApprovalConfig): number =>
  twoPersonReasons(plan.targets, config).length > 0 ? 2 : 1;

function liveApprovals(
  plan: Plan,
  approvals: readonly Approval[],
  times: Times,
  config: ApprovalConfig,
): readonly Approval[] {
  const live = approvals.filter((one) => {
    if (one.answer !== "approve" || one.planHash !== plan.hash) return false;
    if (times.now >= one.expiresAt || times.clockNow >= one.wallExpiresAt) return false;
    const approver = config.approvers.find(({ name }) => name === one.by);
    return (
      approver !== undefined && plan.targets.every((target) => whyNotFor(approver, target, config.services) === null)
    );
  });
  return peopleOf(live).flatMap((person) => live.findLast(({ by }) => by === person) ?? []);
}

/** Compares with every approver's hash, so that the time taken says nothing about which one is near. */
function approverOf(token: string, approvers: readonly Approver[]): Approver | undefined {
  const given = createHash("sha256").update(token).digest();
  let found: Approver | undefined;
  for (const approver of approvers) {
    const known = Buffer.from(approver.tokenSha256, "hex");
    if (known.length === given.length && timingSafeEqual(known, given)) found = approver;
  }
  return token === "" ? undefined : found;
}

/** Exact names only: this list allows. Ending a pause needs no right to an action, only to the service. */
const mayResume = (approver: Approver, service: string): boolean =>
  approver.services === null || approver.services.includes(service);

/** "cli:alice", "mcp:alice" and "alice" are one person, however it is spelled. */
function isSamePerson(proposedBy: string, name: string): boolean {
  const person = skeleton(name);
  return skeleton(proposedBy) === person || skeleton(proposedBy.split(":").at(-1) ?? "") === person;
}

/** "all" is how people say "*". A service of that name is then paused together with everything else. */
function scopeOf(scope: string): string {
  const name = scope.trim();
  if (name === "")
    throw new UnshipError("input.invalid", { what: "scope", reason: `name a service, or ${ALL_SERVICES}` });
  return name.toLowerCase() === "all" ? ALL_SERVICES : name;
}

const refused = (reason: string): UnshipError => new UnshipError("approval.refused", { reason });
