import type { Approver } from "../../core/config/config.ts";
import { UnshipError } from "../../core/errors.ts";
import { isOfAnotherTime } from "../../core/guardrails/approval-time.ts";
import {
  isByAccessToken,
  oauthCaller,
  peopleOf,
  twoPersonReasons,
  whyNotFor,
} from "../../core/guardrails/approver-rights.ts";
import {
  ALL_SERVICES,
  type Approval,
  type GateTransaction,
  LEDGER_KINDS,
  pausesAll,
} from "../../core/guardrails/gate-store.ts";
import { whyUseless } from "../../core/guardrails/plan-use.ts";
import { refused } from "../../core/guardrails/refusal.ts";
import { unprovenName } from "../../core/guardrails/signing.ts";
import { type Plan, REASON_CHARS, type Target } from "../../core/model/plan.ts";
import { skeleton } from "../../core/model/skeleton.ts";
import { clockText } from "../../core/model/time.ts";
import { cleanText, name, redactSecrets } from "../../core/model/untrusted-text.ts";
import type { Gate } from "../../core/ports.ts";
import { recordAcknowledgement } from "./acknowledge.ts";
import { isProven, proveAnswer } from "./approval-proof.ts";
import { createAsApprover, type Person, pressOf } from "./as-approver.ts";
import type { IdentityChecks } from "./identity.ts";
import { type GateConfig, type GateLimits, type GateParts, planHash } from "./parts.ts";
import type { SlackPress } from "./slack-request.ts";

/**
 * What only a person can do who shows who they are: approve, reject, resume, acknowledge. A token is compared by its SHA-256 in
 * constant time and stands nowhere. Every answer and every refusal stands in the ledger.
 */
export function createApprovals(
  parts: GateParts,
  limits: GateLimits,
): Pick<Gate, "identify" | "approve" | "reject" | "pause" | "resume" | "acknowledge"> {
  const { config, store, clock } = parts;
  const { asApprover, identify } = createAsApprover(parts, limits);

  /** The plan as it stands, where this person may answer for it now, and it is what they read. */
  async function openPlan(tx: GateTransaction, planId: string, approver: Approver, seenHash?: string): Promise<Plan> {
    const plan = await tx.plan(planId);
    if (plan === null) throw new UnshipError("plan.unknown", { plan: planId });
    const isAsRead = seenHash === undefined || seenHash === plan.hash;
    if (!isAsRead || planHash(plan) !== plan.hash) throw new UnshipError("plan.changed", { plan: planId });
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

  /** Why a yes would change nothing, read before the transaction: an incident that closes meanwhile has no watch to act. */
  async function uselessness(planId: string): Promise<string | null> {
    const plan = await store.plan(planId);
    return plan === null ? null : whyUseless(plan, await store.incident(plan.incidentId));
  }

  async function record(
    tx: GateTransaction,
    plan: Plan,
    answer: Omit<Approval, "proof">,
    person: Person,
  ): Promise<Approval> {
    const proof = proveAnswer(answer, person, parts.attestation ?? null);
    if (proof === null && answer.answer === "approve") throw refused(whyUnprovable(person));
    const approval: Approval = { ...answer, ...(proof === null ? {} : { proof }) };
    await tx.addApproval(approval);
    const kind = approval.answer === "approve" ? LEDGER_KINDS.approvalGiven : LEDGER_KINDS.approvalRejected;
    await tx.append({
      kind,
      incidentId: plan.incidentId,
      planId: plan.id,
      actor: approval.by,
      body: {
        planHash: approval.planHash,
        expiresAt: approval.expiresAt,
        wallExpiresAt: approval.wallExpiresAt,
        reason: approval.reason,
        via: person.via,
        ...(proof === null ? {} : { proof }),
        ...pressOf(person),
      },
    });
    return approval;
  }

  return {
    identify,
    async approve(planId, proof, seenHash) {
      const useless = await uselessness(planId);
      return asApprover("approval", proof, planId, async (tx, person) => {
        const { approver } = person;
        mustSpeakFor(person, "approve", planId, seenHash);
        const plan = await openPlan(tx, planId, approver, seenHash);
        if (useless !== null) throw refused(useless);
        const own = whyMaybeOwn(plan.proposedBy, person, parts.identity?.oidcClaim);
        if (own !== null) throw refused(own);
        const { approvals } = await tx.facts(plan, 0);
        const no = approvals.find(({ answer }) => answer === "reject");
        if (no !== undefined) throw refused(`${no.by} rejected this plan; ask for a new one`);
        const expiresAt = Math.min(plan.expiresAt, tx.now + limits.approvalLifetimeMs);
        const answer: Omit<Approval, "proof"> = {
          planId,
          planHash: plan.hash,
          answer: "approve",
          by: approver.name,
          reason: "",
          at: tx.now,
          expiresAt,
          wallExpiresAt: clock.now() + (expiresAt - tx.now),
        };
        const approval = await record(tx, plan, answer, person);
        const times = { now: tx.now, clockNow: clock.now() };
        const proven = provenApprovals([...approvals, approval], parts);
        const people = liveApprovals(plan, proven, times, config).length;
        return { by: approver.name, expiresAt, stillNeeded: Math.max(0, peopleNeeded(plan.targets, config) - people) };
      });
    },
    reject: (planId, proof, reason, seenHash) =>
      asApprover("rejection", proof, planId, async (tx, person) => {
        const { approver } = person;
        mustSpeakFor(person, "reject", planId, seenHash);
        const plan = await openPlan(tx, planId, approver, seenHash);
        const rejection: Omit<Approval, "proof"> = {
          planId,
          planHash: plan.hash,
          answer: "reject",
          by: approver.name,
          // Typed or pasted by a person, and read by others, by a model too (S10, S11).
          reason: cleanText(reason, REASON_CHARS),
          at: tx.now,
          expiresAt: plan.expiresAt,
          wallExpiresAt: clock.now() + (plan.expiresAt - tx.now),
        };
        await record(tx, plan, rejection, person);
        return { by: approver.name };
      }),
    async pause(scope, by) {
      const named = scopeOf(scope, config);
      // Anybody says who they are: it is read by others on a terminal, and nobody signs as the gate or as an approver.
      const actor = unprovenName(cleanText(by, NAME_CHARS), config.approvers);
      await store.transact(async (tx) => {
        await tx.setPause({ scope: named, by: actor, at: tx.now });
        const body = { scope: named };
        await tx.append({ kind: LEDGER_KINDS.paused, incidentId: null, planId: null, actor, body });
      });
    },
    resume: (scope, proof) =>
      asApprover("resume", proof, null, async (tx, { approver, press }) => {
        if (press !== null) throw refused("a button answers for a plan alone");
        const named = scopeOf(scope, config);
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
    async acknowledge(incidentId, proof, asked) {
      // What they saw when they answered; what is worse by the time it is written down is news to them.
      const incident = await store.incident(incidentId);
      const what = asked.as === "snooze" ? "snooze" : "acknowledgement";
      return asApprover(what, proof, null, async (tx, { approver, press, via }) => {
        if (press !== null) throw refused("a button answers for a plan alone");
        return recordAcknowledgement(tx, incidentId, incident, { ...asked, by: approver, via });
      });
    },
  };
}

/**
 * The answers that count: a no of whoever it is said to be of, since it only refuses, and each yes that was proven to be of
 * the approver whom it names.
 */
export const provenApprovals = (
  approvals: readonly Approval[],
  { config, attestation }: Pick<GateParts, "config" | "attestation">,
): readonly Approval[] =>
  approvals.filter((one) => one.answer === "reject" || isProven(one, config.approvers, attestation ?? null));

function whyUnprovable({ approver, via }: Person): string {
  const key =
    via === "oidc" || via === "slack" ? "" : `approvers[].token_key of ${approver.name} (unship approver-key), or `;
  return `nothing would prove in the ledger that ${approver.name} gave it: add ${key}ledger.signing_key to the file`;
}

type ApprovalConfig = Pick<GateConfig, "approvers" | "approval" | "services">;
interface Times {
  readonly now: number;
  readonly clockNow: number;
}

/**
 * The approvals that let this plan run now: of this very hash, not over by the ledger's time nor by this machine's
 * clock, by people who still may approve each of its targets; the newest of each person. Empty where two different
 * people are needed and only one has said yes. `reached`: what else changes with its targets, where that is known.
 */
export function enoughApprovals(
  plan: Plan,
  approvals: readonly Approval[],
  times: Times,
  config: ApprovalConfig,
  reached: readonly Target[] = [],
): readonly Approval[] {
  const live = liveApprovals(plan, approvals, times, config).filter(
    ({ by }) => whyNotForAll(by, reached, config) === null,
  );
  return live.length >= peopleNeeded([...plan.targets, ...reached], config) ? live : [];
}

/** Why a yes to these targets does not count, a sentence for each live approval that does not; empty: all count. */
export function whyNotCounted(
  plan: Plan,
  approvals: readonly Approval[],
  times: Times,
  config: ApprovalConfig,
  reached: readonly Target[],
): readonly string[] {
  return liveApprovals(plan, approvals, times, config).flatMap(({ by }) => whyNotForAll(by, reached, config) ?? []);
}

/** Why a person, by name, may not answer for all of these; null: they may. */
function whyNotForAll(by: string, targets: readonly Target[], { approvers, services }: ApprovalConfig): string | null {
  const approver = approvers.find(({ name }) => name === by);
  if (approver === undefined) return `${by} is no approver`;
  for (const target of targets) {
    const why = whyNotFor(approver, target, services);
    if (why !== null) return why;
  }
  return null;
}

/** How many different people must approve these targets. */
const peopleNeeded = (targets: readonly Target[], config: ApprovalConfig): number =>
  twoPersonReasons(targets, config).length > 0 ? 2 : 1;

/** Why a yes was to less than what the plan concerns by now, a sentence for each person; empty: none was. */
export const whyOutgrown = (approvals: readonly Approval[], concerned: readonly string[]): readonly string[] =>
  approvals.flatMap((one) => {
    const unseen = one.answer === "approve" ? unseenBy(one, concerned) : [];
    const what = unseen.map(name).join(", ");
    return unseen.length === 0 ? [] : [`${one.by} approved before the plan was known to change ${what} as well`];
  });

/** What a plan concerns by now that whoever gave the answer was not shown. */
export const unseenBy = ({ shown = [] }: Approval, concerned: readonly string[]): readonly string[] =>
  concerned.filter((one) => !shown.includes(one));

function liveApprovals(
  plan: Plan,
  approvals: readonly Approval[],
  times: Times,
  config: ApprovalConfig,
): readonly Approval[] {
  const live = approvals.filter((one) => {
    if (one.answer !== "approve" || one.planHash !== plan.hash) return false;
    if (times.now >= one.expiresAt || times.clockNow >= one.wallExpiresAt) return false;
    if (isOfAnotherTime(one, times.clockNow) || one.isOfAnotherTime === true) return false;
    return whyNotForAll(one.by, plan.targets, config) === null;
  });
  return peopleOf(live).flatMap((person) => live.findLast(({ by }) => by === person) ?? []);
}

/** Exact names only: this list allows. Ending a pause needs no right to an action, only to the service. */
const mayResume = (approver: Approver, service: string): boolean =>
  approver.services === null || approver.services.includes(service);

/**
 * "cli:alice", "mcp:alice", "mcp:http(alice):some-client" and "alice" are one person, however it is spelled, and so is
 * "mcp:http(oauth SUBJECT):some-client" for the subject that the approver is to the issuer: any part of who proposed
 * counts, since this only refuses.
 */
function isSamePerson(proposedBy: string, { approver: { name, oidc }, alsoCalled }: Person): boolean {
  const person = skeleton(name);
  if ([proposedBy, ...proposedBy.split(/[:()«»]/)].some((part) => skeleton(part) === person)) return true;
  const subjects = [...(oidc === undefined ? [] : [oidc]), ...(alsoCalled ?? [])];
  return subjects.some((subject) => skeleton(proposedBy).includes(skeleton(`(${oauthCaller(subject)})`)));
}

/**
 * Why this person may be the one who proposed the plan; null: they are not. An access token names its holder by `sub`.
 * Whom the file knows by an e-mail address alone can only be told from them by a token of the issuer, which has both.
 */
function whyMaybeOwn(proposedBy: string, person: Person, claim: IdentityChecks["oidcClaim"]): string | null {
  if (isSamePerson(proposedBy, person)) return "nobody approves a plan of their own";
  const isTold = claim !== "email" || person.approver.oidc === undefined || person.alsoCalled !== null;
  if (!isByAccessToken(proposedBy) || isTold) return null;
  return "it was proposed with an access token, and whether that is yours only a token of the issuer tells: answer with one";
}

/** Names of services and people that are paused and pause. */
const NAME_CHARS = 300;

/**
 * The name under which a pause begins and ends; one function for both, since a pause under another name holds nothing and cannot
 * be ended. "all" is how people say "*": a service of that name is then paused together with everything else. What the file
 * names stands as it is, whatever it looks like. Throws "input.invalid" for no name, and for one that looks like a secret, which
 * must not be recorded (S10): hidden it would be that of every other one.
 */
function scopeOf(scope: string, { services, guardrails }: Pick<GateConfig, "services" | "guardrails">): string {
  const asked = scope.trim();
  if (pausesAll(asked)) return ALL_SERVICES;
  const named = Object.entries(services).flatMap(([service, { workload, argocdApplication, flags }]) => [
    service,
    workload?.name,
    argocdApplication,
    ...flags,
  ]);
  if ([...named, ...guardrails.neverAutoRollback].includes(asked)) return asked;
  const name = cleanText(asked, NAME_CHARS);
  const wanted = `name a service, or ${ALL_SERVICES}`;
  if (name === "") throw new UnshipError("input.invalid", { what: "scope", reason: wanted });
  if (redactSecrets(asked) !== asked)
    throw new UnshipError("input.invalid", { what: "scope", reason: `this resembles a secret; ${wanted}` });
  return name;
}

/** A press says what it is for, under Slack's signature; it lends itself to nothing else. */
function mustSpeakFor({ press }: Person, answer: SlackPress["answer"], planId: string, hash: string | undefined): void {
  const fits = press === null || (press.answer === answer && press.planId === planId && press.planHash === hash);
  if (!fits) throw refused("the press was of another button");
}
