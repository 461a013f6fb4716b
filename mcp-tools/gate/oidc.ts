import { createRemoteJWKSet, customFetch, errors, jwtVerify } from "jose";
import type { OidcConfig } from "../../core/config/config.ts";

/**
 * Whom a token names (the configured claim), what else it calls them (`sub`, by which access tokens of theirs name them,
 * whatever claim is configured), and until when (Unix ms) it counts; or why it counts for nothing.
 */
export type OidcAnswer =
  | { readonly subject: string; readonly alsoCalled: readonly string[]; readonly until: number }
  | { readonly refusal: string };

/** Checks one token at `now` (Unix ms). Never throws. */
export type OidcVerifier = (token: string, now: number) => Promise<OidcAnswer>;

/** Two machines that keep time by NTP differ by less. */
const CLOCK_TOLERANCE_S = 5;
/** A person waits for the answer; an issuer that serves its keys does so at once. */
const KEYS_TIMEOUT_MS = 5000;

/**
 * Verifies tokens of one OIDC issuer: signature by its published keys, issuer, audience, expiry, and an algorithm of
 * the configured list, which holds asymmetric ones alone: a public key is no HMAC secret (RFC 8725 §2.1, §3.1). A token
 * without expiry, or without the claim that names the person, is none. An e-mail address counts only where the issuer
 * says that it verified it (OpenID Connect Core 1.0 §5.1). Keys are fetched anew when a token names an unknown one, at
 * most every 30 s, and after 10 minutes; where they cannot be had nobody is let in.
 *
 * @param otherAudience the audience of tokens for another use: one that is for both counts for neither (S3)
 * @param fetchKeys the text of the JSON Web Key Set (RFC 7517 §5); throws where there is none
 * @see https://www.rfc-editor.org/rfc/rfc8725 JSON Web Token Best Current Practices
 */
export function createOidcVerifier(
  { issuer, audience, jwksUrl, algorithms, claim }: OidcConfig,
  otherAudience: string | undefined,
  fetchKeys: (abort: AbortSignal) => Promise<string>,
): OidcVerifier {
  const keys = createRemoteJWKSet(new URL(jwksUrl), {
    timeoutDuration: KEYS_TIMEOUT_MS,
    [customFetch]: async (_, { signal }) => {
      try {
        return new Response(await fetchKeys(signal));
      } catch (cause) {
        throw new KeysUnavailable("the issuer's keys cannot be had", { cause });
      }
    },
  });
  return async (token, now) => {
    try {
      const { payload } = await jwtVerify(token, keys, {
        issuer,
        audience,
        algorithms: [...algorithms],
        requiredClaims: ["exp", claim],
        currentDate: new Date(now),
        clockTolerance: CLOCK_TOLERANCE_S,
      });
      if (otherAudience !== undefined && [payload.aud ?? []].flat().includes(otherAudience)) {
        return { refusal: "the token is for approvers and for callers of MCP at once, so it counts for neither" };
      }
      const subject = payload[claim];
      if (typeof subject !== "string" || subject === "") return { refusal: `the token has no ${claim}` };
      if (claim === "email" && payload.email_verified !== true) {
        return { refusal: "the issuer has not verified the e-mail address in the token" };
      }
      const alsoCalled = payload.sub === undefined || payload.sub === subject ? [] : [payload.sub];
      return { subject, alsoCalled, until: ((payload.exp ?? 0) + CLOCK_TOLERANCE_S) * 1000 };
    } catch (error) {
      return { refusal: refusalOf(error) };
    }
  };
}

class KeysUnavailable extends Error {}

const CLAIMS: Readonly<Record<string, string>> = {
  aud: "the token is for another audience",
  iss: "the token is of another issuer",
  exp: "the token has no expiry",
  nbf: "the token does not count yet",
  sub: "the token has no sub",
  email: "the token has no email",
};

/** Why, in words of ours: nothing of the token is repeated, since whoever sent it wrote it. */
function refusalOf(error: unknown): string {
  if (error instanceof errors.JWTExpired) return "the token has expired";
  if (error instanceof errors.JWTClaimValidationFailed) return CLAIMS[error.claim] ?? "a claim of the token is wrong";
  if (error instanceof errors.JOSEAlgNotAllowed) return "the token is signed in a way that is not allowed";
  if (error instanceof errors.JWKSNoMatchingKey) return "the token names a key that the issuer does not have";
  if (error instanceof errors.JWKSMultipleMatchingKeys) return "the token does not say which key signed it";
  if (error instanceof errors.JWSSignatureVerificationFailed) return "the token's signature is wrong";
  if (error instanceof KeysUnavailable || error instanceof errors.JWKSTimeout || error instanceof errors.JWKSInvalid) {
    return "the issuer's keys cannot be had, so no token of it counts now";
  }
  return "this is no token of the issuer";
}
