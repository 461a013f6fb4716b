import type { Config } from "../../core/config/config.ts";
import { createOAuthResource, type OAuthResource } from "../../mcp-tools/oauth.ts";

/** A set of keys is a few KB. */
const KEYS_BYTES = 1024 * 1024;

/** Whose access tokens count at the MCP server, as the file says; undefined: nobody's. Libraries are loaded here. */
export async function accessTokens({ server }: Config): Promise<OAuthResource | undefined> {
  const oauth = server?.oauth;
  if (oauth === undefined) return undefined;
  const { issuer, resource, jwksUrl, algorithms } = oauth;
  const { createOidcVerifier } = await import("../../mcp-tools/gate/oidc.ts");
  const { createHttp, pathOfUrl } = await import("../../mcp-tools/connectors/http.ts");
  const url = new URL(jwksUrl);
  const http = createHttp({ source: "the issuer's keys", base: new URL(url.origin), maxBytes: KEYS_BYTES });
  const verify = createOidcVerifier(
    { issuer, audience: resource, jwksUrl, algorithms, claim: "sub" },
    server?.oidc?.audience,
    (abort) => http.getText(pathOfUrl(url), abort),
  );
  return createOAuthResource({ resource, authorizationServers: [issuer], verify });
}
