import { oauthCaller } from "../core/guardrails/approver-rights.ts";
import type { Refusal } from "./http-guard.ts";

/** Seeing, and proposing and submitting besides. The gate asks a person for either kind of caller where it must. */
export const SCOPES = { read: "unship:read", propose: "unship:propose" } as const;

export interface OAuthOptions {
  /** This server's canonical URI (RFC 8707 §2): what clients connect to, and the audience of every token. */
  readonly resource: string;
  /** Issuers of tokens for it, as their metadata is found. */
  readonly authorizationServers: readonly string[];
  /** Signature, issuer, audience and expiry of one access token, now (Unix ms). Never throws. */
  readonly verify: (token: string, now: number) => Promise<{ readonly subject: string } | { readonly refusal: string }>;
}

/** Who calls with a token that counts. `by`: for the record, where a long subject is cut. */
export interface OAuthCaller {
  readonly by: string;
  /** What a session and a limit are bound to: no two callers have the same. */
  readonly key: string;
  readonly readOnly: boolean;
}

/**
 * The resource server's part of OAuth 2.1 as MCP 2025-11-25 asks for it (Authorization): it says who issues tokens
 * (RFC 9728), takes none that was not issued for it, and asks for what is missing (RFC 6750 §3). It issues and stores
 * none, and passes none on.
 */
export interface OAuthResource {
  /** Where the metadata stands: the well-known path, before the resource's own path (RFC 9728 §3.1). */
  readonly metadataPaths: readonly string[];
  readonly metadata: Readonly<Record<string, unknown>>;
  /** Who a bearer token's caller is, or the refusal with its challenge. */
  caller(token: string | null, now: number): Promise<OAuthCaller | Refusal>;
}

const WELL_KNOWN = "/.well-known/oauth-protected-resource";

export function createOAuthResource({ resource, authorizationServers, verify }: OAuthOptions): OAuthResource {
  const { origin, pathname } = new URL(resource);
  const own = `${WELL_KNOWN}${pathname === "/" ? "" : pathname}`;
  const where = `Bearer realm="unship", resource_metadata="${origin}${own}"`;
  const refuse = (status: 401 | 403, because: string, error: string): Refusal => ({
    status,
    because,
    headers: { "www-authenticate": `${where}, scope="${SCOPES.read} ${SCOPES.propose}"${error}` },
  });
  return {
    metadataPaths: [...new Set([own, WELL_KNOWN])],
    metadata: {
      resource,
      authorization_servers: authorizationServers,
      scopes_supported: Object.values(SCOPES),
      bearer_methods_supported: ["header"],
      resource_name: "unship",
    },
    async caller(token, now) {
      if (token === null) return refuse(401, "A bearer token is needed; the challenge says where to get one.", "");
      const verified = await verify(token, now);
      if ("refusal" in verified) {
        return refuse(401, `This bearer token does not count: ${verified.refusal}.`, ', error="invalid_token"');
      }
      const scopes = scopesOf(token);
      if (!scopes.has(SCOPES.read)) {
        return refuse(403, `The token lacks the scope ${SCOPES.read}.`, ', error="insufficient_scope"');
      }
      return {
        by: oauthCaller(verified.subject),
        key: `oauth ${verified.subject}`,
        readOnly: !scopes.has(SCOPES.propose),
      };
    },
  };
}

/** The scopes of a token that was verified: `scope`, separated by spaces (RFC 9068 §2.2.3, RFC 8693 §4.2). */
function scopesOf(token: string): ReadonlySet<string> {
  const claims: unknown = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString("utf8"));
  const scope = typeof claims === "object" && claims !== null && "scope" in claims ? claims.scope : "";
  return new Set(typeof scope === "string" ? scope.split(" ") : []);
}
