import { z } from "zod";
import { addressOf, isLoopback } from "../address.ts";
import { addressHint } from "../hints/urls.ts";
import { OIDC_ALGORITHMS } from "../server-config.ts";
import { field, name, text, url } from "./fields.ts";

const Token = z.strictObject({
  name: field(name(), "Who calls with it, as the ledger will name them."),
  token_sha256: field(
    z.string().superRefine((value, context) => {
      if (/^[0-9a-f]{64}$/i.test(value)) return;
      const params = { hint: '64 hexadecimal digits: printf %s "$TOKEN" | sha256sum' };
      context.addIssue({ code: "custom", message: "is no SHA-256", params });
    }),
    "SHA-256 of the bearer token, which should be random (openssl rand -hex 32). The token itself is stored nowhere.",
    { unit: "64 hexadecimal digits" },
  ),
  read_only: field(z.boolean().default(false), "Whether what proposes and submits is not even offered with it."),
});

/** Keys that came over plain HTTP could be anybody's. */
const keysUrl = () =>
  url().superRefine((value, context) => {
    const { protocol, hostname } = URL.canParse(value) ? new URL(value) : { protocol: "", hostname: "" };
    if (protocol !== "http:" || isLoopback(hostname)) return;
    const params = { hint: "use https: whoever sits between could put keys of their own there" };
    context.addIssue({ code: "custom", message: "is not encrypted", params });
  });

const Oidc = z.strictObject({
  issuer: field(text(), "The issuer, exactly as `iss` is in its tokens."),
  audience: field(text(), "The audience (`aud`) that its tokens must be for: a client of its own for unship."),
  jwks_url: field(keysUrl(), "Where the issuer publishes its keys: `jwks_uri` of its discovery document."),
  algorithms: field(
    z.array(z.enum(OIDC_ALGORITHMS)).min(1).default(["RS256", "ES256"]),
    "How its tokens may be signed. Only by key pairs: what verifies a signature must not be able to make one.",
  ),
  claim: field(
    z.enum(["sub", "email"]).default("sub"),
    "Which claim names the person, to be found in approvers[].oidc. An email counts only where the issuer verified it.",
  ),
});

const OAuth = z.strictObject({
  issuer: field(url(), "The authorization server, exactly as `iss` is in its access tokens; clients find it by this."),
  resource: field(
    keysUrl(),
    "The address that clients connect to, as they write it, such as https://unship.example/mcp. A token counts only if it was issued for it (`aud`).",
  ),
  jwks_url: field(keysUrl(), "Where the authorization server publishes its keys: `jwks_uri` of its metadata."),
  algorithms: field(
    z.array(z.enum(OIDC_ALGORITHMS)).min(1).default(["RS256", "ES256"]),
    "How its access tokens may be signed. Only by key pairs.",
  ),
});

/** What is served over HTTP, and to whom: approvals beside `unship watch` or `unship gate`, and `unship mcp --http`. */
export const Server = z.strictObject({
  listen: field(
    z
      .string()
      .superRefine((value, context) => {
        if (addressOf(value) !== null) return;
        const params = { hint: addressHint(value, "127.0.0.1:7332") };
        context.addIssue({ code: "custom", message: "is no address", params });
      })
      .optional(),
    "Where approvers answer over HTTP while `unship watch` runs, or `unship gate` where `gate` is configured. It speaks no TLS: beyond this machine put a proxy that does before it.",
    { unless: "nowhere: approvers answer with `unship approve` alone" },
  ),
  tokens: field(
    z.array(Token).default([]),
    "Bearer tokens of callers of `unship mcp --http`. Without any, only this machine can call it. None of them approves anything.",
  ),
  oauth: field(
    OAuth.optional(),
    "The OAuth 2.1 authorization server whose access tokens callers of `unship mcp --http` may show. Scope `unship:read` sees, `unship:propose` proposes and submits besides. None of them approves anything.",
    { unless: "no access token counts: `tokens` alone" },
  ),
  hosts: field(
    z.array(name().regex(/^[a-z0-9._-]+$/)).default([]),
    "Host names, in lower case and without port, by which it is called beside those of the loopback.",
  ),
  origins: field(
    z.array(name().regex(/^https?:\/\/[^/]+$/)).default([]),
    "Origins of web pages that may call, such as https://console.example.",
  ),
  oidc: field(Oidc.optional(), "The OpenID Connect issuer whose tokens approvers may show at `listen`.", {
    unless: "none: personal tokens alone",
  }),
  requests_per_minute: field(z.int().min(1).default(120), "Most requests of one caller in a minute.", {
    unit: "requests",
  }),
});
