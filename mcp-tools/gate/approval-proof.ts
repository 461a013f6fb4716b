import { type KeyObject, verify as verifySignature } from "node:crypto";
import type { Approver } from "../../core/config/config.ts";
import { canonicalJson } from "../../core/guardrails/canonical-json.ts";
import type { Approval } from "../../core/guardrails/gate-store.ts";
import { type ApproverKey, KEY_PREFIX, publicKeyOf } from "./approver-key.ts";
import type { Via } from "./identity.ts";

/** The gate's own key, which vouches for what a proof in the record cannot show by itself: that somebody's issuer named them. */
export interface Attestation {
  readonly id: string;
  readonly sign: (text: string) => string;
  readonly holds: (text: string, signature: string) => boolean;
}

type Answered = Omit<Approval, "proof">;

/**
 * `approver:1:<public key>:<signature>`: by the key that is derived from the approver's personal token, which only they can make.
 * `gate:1:<via>:<key>:<signature>`: the gate saw what showed who they are (a token of the issuer, a press under Slack's
 * signature, a personal token whose public key the file does not hold) and vouches for it with the ledger's signing key.
 * Those tokens themselves are not kept: they would open the gate to whoever reads the record, and name no plan.
 */
const FORM = /^(?:approver:1:(?<own>[\w-]{43})|gate:1:(?<via>[a-z]+):(?<key>[0-9a-f]{16})):(?<signature>[\w-]{86})$/;

/** What is signed: all that the answer says, so that none of it can be used for another. */
const statementOf = ({ planId, planHash, answer, by, reason, at, expiresAt, wallExpiresAt }: Answered, as: string) =>
  `unship-answer:1:${as}:${canonicalJson({ planId, planHash, answer, by, reason, at, expiresAt, wallExpiresAt })}`;

/**
 * Makes the proof of an answer; null: nothing here can prove it. `key`: derived from the personal token that was shown;
 * null: none was. An approver whose public key the file holds proves an answer by that key alone.
 */
export function proveAnswer(
  answer: Answered,
  { approver, via, key }: { readonly approver: Approver; readonly via: Via; readonly key: ApproverKey | null },
  attestation: Attestation | null,
): string | null {
  if (key !== null && key.text === approver.tokenKey) {
    return `approver:1:${key.text.slice(KEY_PREFIX.length)}:${key.sign(statementOf(answer, "approver"))}`;
  }
  if (attestation === null) return null;
  const as = `gate:${via}:${attestation.id}`;
  return `gate:1:${via}:${attestation.id}:${attestation.sign(statementOf(answer, as))}`;
}

/**
 * Whether an answer was given by the approver whom it names, as the file knows them now. A personal token is vouched for
 * by the gate only where the file holds no public key for it, and a way that the file does not name for them counts not.
 */
export function isProven(
  { proof, ...answer }: Approval,
  approvers: readonly Approver[],
  attestation: Attestation | null,
): boolean {
  const approver = approvers.find(({ name }) => name === answer.by);
  const groups = FORM.exec(proof ?? "")?.groups;
  if (approver === undefined || groups === undefined) return false;
  const { via, key, signature = "" } = groups;
  if (via === undefined) {
    const { tokenKey } = approver;
    if (tokenKey === undefined || tokenKey !== `${KEY_PREFIX}${groups.own}`) return false;
    return holds(publicKeyOf(tokenKey), statementOf(answer, "approver"), signature);
  }
  if (attestation === null || key !== attestation.id || !mayComeBy(via, approver)) return false;
  return attestation.holds(statementOf(answer, `gate:${via}:${key}`), signature);
}

/**
 * What the proof in a record shows by itself, for an audit: the public key that signed (the file of that time says whose),
 * or how the gate was shown who it was. "unchecked": the gate vouches, and no key of it was given. "false": it holds for no
 * such answer.
 */
export function provenBy({ proof, ...answer }: Approval, gateKey: KeyObject | null): string {
  const groups = FORM.exec(proof ?? "")?.groups;
  if (groups === undefined) return "false";
  const { via, own, key, signature = "" } = groups;
  if (via === undefined) {
    const text = `${KEY_PREFIX}${own}`;
    return holds(publicKeyOf(text), statementOf(answer, "approver"), signature) ? text : "false";
  }
  if (gateKey === null) return "unchecked";
  const text = statementOf(answer, `gate:${via}:${key}`);
  return holds(gateKey, text, signature) ? `the gate's key ${key}, which was shown ${SHOWN[via] ?? via}` : "false";
}

const SHOWN: Readonly<Record<string, string>> = {
  desk: "a personal token at the operator CLI",
  channel: "a personal token over the channel",
  http: "a personal token over HTTP",
  oidc: "a token of the issuer",
  slack: "a press in Slack",
};

const holds = (key: KeyObject, statement: string, signature: string): boolean =>
  verifySignature(null, Buffer.from(statement), key, Buffer.from(signature, "base64url"));

function mayComeBy(via: string, { tokenSha256, tokenKey, oidc, slack }: Approver): boolean {
  if (via === "oidc") return oidc !== undefined;
  if (via === "slack") return slack !== undefined;
  return tokenSha256 !== null && tokenKey === undefined;
}
