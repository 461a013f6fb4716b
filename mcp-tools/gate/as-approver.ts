import type { Approver } from "../../core/config/config.ts";
import { UnshipError } from "../../core/errors.ts";
import { type GateTransaction, LEDGER_KINDS } from "../../core/guardrails/gate-store.ts";
import { type AskedFor, refused, refusedAs } from "../../core/guardrails/refusal.ts";
import { cleanText } from "../../core/model/untrusted-text.ts";
import type { Proof } from "../../core/ports.ts";
import type { ApproverKey } from "./approver-key.ts";
import { type Claim, createIdentify, type Via } from "./identity.ts";
import type { GateLimits, GateParts } from "./parts.ts";
import type { SlackPress } from "./slack-request.ts";

const MINUTE_MS = 60_000;
/** Answers that a press can have given; looked at for longer than any press counts. */
const ANSWERED = [LEDGER_KINDS.approvalGiven, LEDGER_KINDS.approvalRejected, LEDGER_KINDS.approvalRefused];
const REPLAY_MS = 15 * MINUTE_MS;

/** What the record keeps of a press, so that it counts once. */
export const pressOf = ({ press }: Pick<Person, "press">) => (press === null ? {} : { press: press.digest });

/** A subject of an issuer is at most 255 characters (OpenID Connect Core 1.0 §2). */
const SUBJECT_CHARS = 255;

type Answer<T> = { readonly value: T } | { readonly refusal: UnshipError };

/** Who answers, and how they showed it. */
export interface Person {
  readonly approver: Approver;
  readonly via: Via;
  /** What else the issuer calls them; null: they showed no token of it. */
  readonly alsoCalled: readonly string[] | null;
  /** What a press of a button speaks for; null: it was no press. */
  readonly press: SlackPress | null;
  /** Derived from the personal token that they showed; null: they showed none. */
  readonly key: ApproverKey | null;
}

/** Whoever showed something that counts for nothing. */
type Stranger = Pick<Claim & { readonly kind: "refused" }, "via" | "reason" | "subject">;

export type AsApprover = <T>(
  what: AskedFor | null,
  proof: Proof,
  planId: string | null,
  act: (tx: GateTransaction, person: Person) => Promise<T>,
) => Promise<T>;

/**
 * Runs `act` for the person whom a proof names; a refusal is written down before it is thrown. `what`: how an error calls
 * what they ask for; null: they ask for nothing but who they are.
 *
 * At the desk too many wrong tokens close the door for a minute, for right ones too, since otherwise the limit would
 * tell which token is right. Over the network, and at the gate's own socket, they must not, or whoever can reach the listener could keep approvers
 * out; there the listener limits each caller, and only so many refusals a minute are written down one by one.
 */
export function createAsApprover(parts: GateParts, limits: GateLimits) {
  const { config, store, clock } = parts;
  const identify = createIdentify(config, parts.identity ?? {}, clock);

  async function personOf(tx: GateTransaction, claim: Claim, planId: string | null): Promise<Person | UnshipError> {
    if (claim.via === "desk") {
      const wrong = await tx.countEntries(LEDGER_KINDS.tokenRefused, tx.now - MINUTE_MS);
      if (wrong >= limits.wrongTokensPerMinute) return refused("too many wrong tokens; wait a minute");
      if (claim.kind === "known") return claim;
      await tx.append({ kind: LEDGER_KINDS.tokenRefused, incidentId: null, planId, actor: "unknown", body: {} });
      return refused(claim.reason);
    }
    // A clock that went back makes an old proof look new; the ledger's time never does.
    const refusal =
      claim.kind === "known" && claim.until !== null && tx.now >= claim.until
        ? { via: claim.via, reason: "it has expired by the ledger's time", subject: claim.approver.name }
        : claim;
    if (!("reason" in refusal)) return refusal;
    await recordStranger(tx, refusal, planId);
    return stranger(refusal);
  }

  /** Whether this very press was answered before, by whatever process (it is worth nothing after five minutes). */
  async function isReplay(tx: GateTransaction, press: SlackPress | null): Promise<boolean> {
    if (press === null) return false;
    const bodies = await tx.bodiesSince(ANSWERED, tx.now - REPLAY_MS);
    return bodies.some(
      (body) => typeof body === "object" && body !== null && "press" in body && body.press === press.digest,
    );
  }

  async function recordStranger(
    tx: GateTransaction,
    { via, reason, subject }: Stranger,
    planId: string | null,
  ): Promise<void> {
    const kind = LEDGER_KINDS.identityRefused;
    const written = await tx.countEntries(kind, tx.now - MINUTE_MS);
    const most = limits.strangersPerMinute;
    if (written > most) return;
    const full = `more than ${most} in a minute; the rest is not written down`;
    const body =
      written < most
        ? { via, reason, ...(subject === null ? {} : { subject: cleanText(subject, SUBJECT_CHARS) }) }
        : { via, reason: full };
    await tx.append({ kind, incidentId: null, planId, actor: "unknown", body });
  }

  const asApprover: AsApprover = async (what, proof, planId, act) => {
    const called = (error: UnshipError): UnshipError => (what === null ? error : refusedAs(what, error));
    const claim = await identify(proof);
    const answer = await store.transact(async (tx): Promise<Answer<Awaited<ReturnType<typeof act>>>> => {
      const person = await personOf(tx, claim, planId);
      if (person instanceof UnshipError) return { refusal: called(person) };
      try {
        if (await isReplay(tx, person.press)) throw refused("this very press was answered already");
        return { value: await act(tx, person) };
      } catch (error) {
        if (!(error instanceof UnshipError) || error.code.startsWith("ledger.")) throw error;
        const refusal = called(error);
        const body = { reason: refusal.message, via: person.via, ...pressOf(person) };
        const actor = person.approver.name;
        await tx.append({ kind: LEDGER_KINDS.approvalRefused, incidentId: null, planId, actor, body });
        return { refusal };
      }
    });
    if ("refusal" in answer) throw answer.refusal;
    return answer.value;
  };

  return {
    asApprover,
    /** Whom a proof names; with `record` false a stranger's leaves no trace and costs no transaction. */
    async identify(proof: Proof, record = true): Promise<{ readonly by: string }> {
      const claim = await identify(proof);
      if (claim.kind === "known" && claim.via !== "desk") return { by: claim.approver.name };
      if (claim.kind === "refused" && !record) throw stranger(claim);
      return asApprover(null, proof, null, async (_, { approver }) => ({ by: approver.name }));
    },
  };
}

const stranger = ({ reason }: { readonly reason: string }): UnshipError =>
  new UnshipError("identity.refused", { reason });
