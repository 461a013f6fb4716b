import { createHash, timingSafeEqual } from "node:crypto";
import type { Approver, Config } from "../../core/config/config.ts";
import type { Clock, Proof, SignedRequest } from "../../core/ports.ts";
import { type ApproverKey, approverKey } from "./approver-key.ts";
import type { OidcVerifier } from "./oidc.ts";
import type { SlackPress, SlackReader } from "./slack-request.ts";

/** How an answer reached the gate, for the record. */
export type Via = "desk" | "channel" | "http" | "oidc" | "slack";

/** Whom a proof names, found out before the transaction. */
export type Claim =
  | {
      readonly kind: "known";
      readonly via: Via;
      readonly approver: Approver;
      /** When the proof ends by itself, Unix ms; null: it does not. Checked once more by the ledger's time. */
      readonly until: number | null;
      /** What the issuer calls them beside `approver.oidc`, where it was the issuer that named them; null: it was not. */
      readonly alsoCalled: readonly string[] | null;
      /** A press of a button speaks for this alone, and once; null: the person says elsewhere what they mean. */
      readonly press: SlackPress | null;
      /** Derived from the personal token that was shown; null: none was. */
      readonly key: ApproverKey | null;
    }
  /** `reason`: ours, safe to show. `subject`: who it is, where that was proven and is no approver. */
  | { readonly kind: "refused"; readonly via: Via; readonly reason: string; readonly subject: string | null };

/** What proves an identity beside personal tokens; absent: nothing of that kind does. */
export interface IdentityChecks {
  readonly oidc?: OidcVerifier;
  /** Which claim `approvers[].oidc` holds; absent: "sub". */
  readonly oidcClaim?: "sub" | "email";
  readonly slack?: SlackReader;
}

/** Finds out whom a proof names. Pure but for what it asks others; writes nothing and never throws. */
export function createIdentify(
  { approvers, server }: Pick<Config, "approvers" | "server">,
  { oidc, slack }: IdentityChecks,
  clock: Clock,
): (proof: Proof) => Promise<Claim> {
  return async (proof) => {
    if (typeof proof === "string") return byToken("desk", proof);
    if (proof.via === "channel") return byToken("channel", proof.token);
    if (proof.via === "slack") return byPress(proof);
    if (oidc === undefined || !looksSigned(proof.bearer)) return byToken("http", proof.bearer);
    return byIssuer(oidc, proof.bearer);
  };

  function byToken(via: Via, token: string): Claim {
    const key = approverKey(token);
    const found = approversOf(token, key, approvers);
    const why = whyNobodys(found, callerOf(token, server?.tokens ?? []));
    const [approver] = found;
    return approver === undefined || why !== null
      ? { kind: "refused", via, reason: why ?? "this token is no approver's", subject: null }
      : { kind: "known", via, approver, until: null, alsoCalled: null, press: null, key };
  }

  async function byIssuer(verify: OidcVerifier, token: string): Promise<Claim> {
    const answer = await verify(token, clock.now());
    if ("refusal" in answer) return { kind: "refused", via: "oidc", reason: answer.refusal, subject: null };
    const { subject, alsoCalled, until } = answer;
    const approver = approvers.find((one) => one.oidc === subject);
    return approver === undefined
      ? { kind: "refused", via: "oidc", reason: "the token is good, but whom it names is no approver", subject }
      : { kind: "known", via: "oidc", approver, until, alsoCalled, press: null, key: null };
  }

  function byPress(request: SignedRequest): Claim {
    const none = { refusal: "no Slack app is configured here" };
    const press = slack === undefined ? none : slack(request, clock.now());
    if ("refusal" in press) return { kind: "refused", via: "slack", reason: press.refusal, subject: null };
    const approver = approvers.find((one) => one.slack === press.user);
    return approver === undefined
      ? { kind: "refused", via: "slack", reason: "the Slack user who answered is no approver", subject: press.user }
      : { kind: "known", via: "slack", approver, until: press.until, alsoCalled: null, press, key: null };
  }
}

/**
 * Why the token of an approver speaks for nobody all the same; null: it speaks for them. The file holds a hash here and a key
 * there, and nobody can tell from these that they are of one token until it is shown. One person must not count as two, and
 * what an assistant calls with must not approve what it proposed (S3).
 */
function whyNobodys([, other]: readonly Approver[], caller: string | null): string | null {
  if (other !== undefined)
    return "this token is listed for more than one approver, so it tells nobody; each needs one of their own";
  return caller === null
    ? null
    : `callers of MCP show this token too (server.tokens ${caller}), so it approves nothing`;
}

/** Whose token of `server.tokens` this is; null: none of them. Compares with all, as `approversOf` does. */
function callerOf(token: string, callers: readonly { readonly name: string; readonly tokenSha256: string }[]) {
  const hash = createHash("sha256").update(token).digest();
  let found: string | null = null;
  for (const { name, tokenSha256 } of callers) if (fits(Buffer.from(tokenSha256, "hex"), hash)) found = name;
  return found;
}

/** Whether a token is an approver's personal one, by the hash or the key that the file holds. */
export const isPersonal = (token: string, approvers: readonly Approver[]): boolean =>
  approversOf(token, approverKey(token), approvers).length > 0;

/**
 * Compares with every approver's hash and key, so that the time taken says nothing about which one is near. One who has
 * both must show a token that fits both.
 */
function approversOf(token: string, key: ApproverKey, approvers: readonly Approver[]): readonly Approver[] {
  const hash = createHash("sha256").update(token).digest();
  const open = Buffer.from(key.text);
  const found = approvers.filter(({ tokenSha256, tokenKey }) => {
    const isHash = tokenSha256 === null ? tokenKey !== undefined : fits(Buffer.from(tokenSha256, "hex"), hash);
    const isKey = tokenKey === undefined ? tokenSha256 !== null : fits(Buffer.from(tokenKey), open);
    return isHash && isKey;
  });
  return token === "" ? [] : found;
}

const fits = (known: Buffer, given: Buffer): boolean => known.length === given.length && timingSafeEqual(known, given);

/** Whether a bearer token has the shape of a signed JSON Web Token (RFC 7515 §3.1): three parts, base64url. */
const looksSigned = (token: string): boolean => /^[\w-]+\.[\w-]+\.[\w-]*$/.test(token);
