import type { Config, OidcConfig } from "../../core/config/config.ts";
import type { IdentityChecks } from "../../mcp-tools/gate/identity.ts";
import type { OidcVerifier } from "../../mcp-tools/gate/oidc.ts";
import { createSlackReader } from "../../mcp-tools/gate/slack-request.ts";
import { type Environment, secret } from "./secrets.ts";

/** What proves who answers beside personal tokens, as the file says. Libraries are loaded where they are needed. */
export async function identityChecks(
  { server, notifications }: Config,
  environment: Environment,
): Promise<IdentityChecks> {
  const slack = notifications?.slack ?? null;
  const signing = slack?.signingSecret ?? null;
  return {
    ...(server?.oidc === undefined
      ? {}
      : { oidc: await issuerCheck(server.oidc, server.oauth?.resource), oidcClaim: server.oidc.claim }),
    ...(slack === null || signing === null
      ? {}
      : { slack: createSlackReader(secret(signing, environment), slack.team) }),
  };
}

async function issuerCheck(oidc: OidcConfig, otherAudience: string | undefined): Promise<OidcVerifier> {
  const { createOidcVerifier } = await import("../../mcp-tools/gate/oidc.ts");
  const { createHttp, pathOfUrl } = await import("../../mcp-tools/connectors/http.ts");
  const url = new URL(oidc.jwksUrl);
  const http = createHttp({ source: "the issuer's keys", base: new URL(url.origin), maxBytes: KEYS_BYTES });
  return createOidcVerifier(oidc, otherAudience, (abort) => http.getText(pathOfUrl(url), abort));
}

/** A set of keys is a few KB. */
const KEYS_BYTES = 1024 * 1024;
