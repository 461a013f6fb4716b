import type { Config } from "../../core/config/config.ts";
import type { IdentityChecks } from "../../mcp-tools/gate/identity.ts";

/** What proves who answers beside personal tokens, as the file says. Libraries are loaded where they are needed. */
export async function identityChecks({ server }: Config): Promise<IdentityChecks> {
  const oidc = server?.oidc;
  if (oidc === undefined) return {};
  const { createOidcVerifier } = await import("../../mcp-tools/gate/oidc.ts");
  const { createHttp, pathOfUrl } = await import("../../mcp-tools/connectors/http.ts");
  const url = new URL(oidc.jwksUrl);
  const http = createHttp({ source: "the issuer's keys", base: new URL(url.origin), maxBytes: KEYS_BYTES });
  return { oidc: createOidcVerifier(oidc, (abort) => http.getText(pathOfUrl(url), abort)) };
}

/** A set of keys is a few KB. */
const KEYS_BYTES = 1024 * 1024;
