import type { Address } from "./address.ts";

export interface ServerConfig {
  /** Where people answer over HTTP beside `unship watch`; null: nowhere. */
  readonly listen: Address | null;
  readonly tokens: readonly { readonly name: string; readonly tokenSha256: string; readonly readOnly: boolean }[];
  /** Lower case, without port. */
  readonly hosts: readonly string[];
  readonly origins: readonly string[];
  readonly requestsPerMinute: number;
  /** Whose access tokens callers of MCP may show over HTTP; absent: `tokens` alone. */
  readonly oauth?: OAuthConfig;
  /** The issuer whose tokens approvers may show over HTTP; absent: personal tokens alone. */
  readonly oidc?: OidcConfig;
}

export interface OAuthConfig {
  /** Exactly as the token's `iss`, and where clients find its metadata. */
  readonly issuer: string;
  /** What clients connect to, and the audience of every token. */
  readonly resource: string;
  readonly jwksUrl: string;
  readonly algorithms: readonly OidcAlgorithm[];
}

export interface OidcConfig {
  /** Exactly as the token's `iss`. */
  readonly issuer: string;
  readonly audience: string;
  readonly jwksUrl: string;
  readonly algorithms: readonly OidcAlgorithm[];
  /** Which claim names the person, compared with `approvers[].oidc`. */
  readonly claim: "sub" | "email";
}

/** Signatures by key pairs (RFC 7518 §3.1, RFC 8037): what verifies them cannot make them. */
export const OIDC_ALGORITHMS = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
] as const;
export type OidcAlgorithm = (typeof OIDC_ALGORITHMS)[number];
