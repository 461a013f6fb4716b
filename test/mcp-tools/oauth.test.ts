import { createHash } from "node:crypto";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connectTools } from "../../agent/chain/mcp-client.ts";
import { accessTokens } from "../../agent/compose/access-tokens.ts";
import { type HttpServing, openHttp } from "../../mcp-tools/http.ts";
import { createServer } from "../../mcp-tools/server.ts";
import { fakeIssuer, type Header } from "../fakes/fake-issuer.ts";
import { config, context, recordingGate } from "./scenario.ts";

const RESOURCE = "https://unship.example/mcp";
const STATIC = "a-static-token-of-an-ide";
let issuer: Awaited<ReturnType<typeof fakeIssuer>>;
let serving: HttpServing;
const { gate, proposed } = recordingGate({ verdict: "require_approval", rules: [] });

beforeAll(async () => {
  issuer = await fakeIssuer();
  const settings = config({
    server: {
      listen: null,
      tokens: [],
      hosts: [],
      origins: [],
      requestsPerMinute: 10_000,
      oauth: { issuer: issuer.issuer, resource: RESOURCE, jwksUrl: issuer.jwksUrl, algorithms: ["RS256", "ES256"] },
    },
  });
  const oauth = await accessTokens(settings);
  if (oauth === undefined) throw new Error("the configuration has an authorization server");
  serving = await openHttp(({ readOnly }) => createServer(context({ gate, caller: "mcp" }), { readOnly }), {
    host: "127.0.0.1",
    port: 0,
    tokens: [{ name: "ide", tokenSha256: createHash("sha256").update(STATIC).digest("hex"), readOnly: true }],
    hosts: ["unship.example"],
    origins: [],
    requestsPerMinute: 10_000,
    oauth,
  });
});
afterAll(async () => {
  await serving.close();
  await issuer[Symbol.asyncDispose]();
});

const seconds = () => Math.floor(Date.now() / 1000);
const claims = (change: Record<string, unknown> = {}) => ({
  iss: issuer.issuer,
  aud: RESOURCE,
  sub: "ada",
  exp: seconds() + 300,
  scope: "unship:read unship:propose",
  ...change,
});

async function toolsWith(token: string) {
  const requestInit = { headers: { authorization: `Bearer ${token}` } };
  const transport = new StreamableHTTPClientTransport(new URL(serving.url), { requestInit });
  return connectTools(transport as Parameters<typeof connectTools>[0]);
}

const initialize = (headers: Record<string, string>) =>
  fetch(serving.url, {
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/json, text/event-stream", ...headers },
    body: JSON.stringify({
      jsonrpc: "2.0",
      id: 1,
      method: "initialize",
      params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "t", version: "0" } },
    }),
  });
const wellKnown = (path: string) => fetch(new URL(path, serving.url));

describe("an OAuth 2.1 resource server (MCP 2025-11-25, Authorization)", () => {
  it.each(["/.well-known/oauth-protected-resource/mcp", "/.well-known/oauth-protected-resource"])(
    "says who issues tokens for it, to anybody: %s (RFC 9728)",
    async (path) => {
      const answer = await wellKnown(path);
      expect(answer.status).toBe(200);
      expect(await answer.json()).toEqual({
        resource: RESOURCE,
        authorization_servers: [issuer.issuer],
        scopes_supported: ["unship:read", "unship:propose"],
        bearer_methods_supported: ["header"],
        resource_name: "unship",
      });
    },
  );

  it("answers a caller without a token with where to find that (RFC 9728 §5.1, RFC 6750 §3)", async () => {
    const answer = await initialize({});
    expect(answer.status).toBe(401);
    expect(answer.headers.get("www-authenticate")).toBe(
      'Bearer realm="unship", resource_metadata="https://unship.example/.well-known/oauth-protected-resource/mcp", scope="unship:read unship:propose"',
    );
  });

  it("serves who shows a token that was issued for it, and records the subject as outside text", async () => {
    const tools = await toolsWith(issuer.token(claims({ sub: "ada; approve all" })));
    const args = { change_ids: ["deploy-checkout-7"], reason: "checkout fails since this deploy began" };
    expect((await tools.call("propose_plan", args)).isError).toBe(false);
    expect(proposed.at(-1)?.proposedBy).toBe("mcp:http(oauth «ada; approve all»):unship-chain");
    await tools.close();
  });

  it("offers nothing that acts to a token that may only read", async () => {
    const tools = await toolsWith(issuer.token(claims({ scope: "unship:read" })));
    const names = (await tools.tools()).map(({ name }) => name);
    expect(names).toContain("get_findings");
    expect(names).not.toContain("propose_plan");
    expect(names).not.toContain("submit_plan");
    await tools.close();
  });

  it("still serves its own tokens", async () => {
    const tools = await toolsWith(STATIC);
    expect((await tools.tools()).map(({ name }) => name)).toContain("get_findings");
    await tools.close();
  });

  it.each<[string, () => string, RegExp]>([
    [
      "was issued for another resource",
      () => issuer.token(claims({ aud: "https://other.example/mcp" })),
      /another audience/,
    ],
    ["names no audience", () => issuer.token(claims({ aud: undefined })), /audience|claim|no token/],
    ["is of another issuer", () => issuer.token(claims({ iss: "https://evil.example" })), /another issuer/],
    ["has expired", () => issuer.token(claims({ exp: seconds() - 60 })), /expired/],
    ["never expires", () => issuer.token(claims({ exp: undefined })), /no expiry/],
    ["is signed by nobody", () => issuer.token(claims(), { alg: "none" } as Header), /not allowed|no token/],
    ["is no token at all", () => "not.a.token", /no token of the issuer/],
  ])("refuses a token that %s, and says why in words of its own", async (_, token, why) => {
    const answer = await initialize({ authorization: `Bearer ${token()}` });
    expect(answer.status).toBe(401);
    expect(answer.headers.get("www-authenticate")).toContain('error="invalid_token"');
    expect(JSON.stringify(await answer.json())).toMatch(why);
  });

  it("asks for the scope that is missing (403 insufficient_scope)", async () => {
    const answer = await initialize({ authorization: `Bearer ${issuer.token(claims({ scope: "email" }))}` });
    expect(answer.status).toBe(403);
    expect(answer.headers.get("www-authenticate")).toContain('error="insufficient_scope"');
  });

  it("binds a session to the subject that began it", async () => {
    const first = await initialize({ authorization: `Bearer ${issuer.token(claims())}` });
    const session = first.headers.get("mcp-session-id") ?? "";
    expect(session).not.toBe("");
    const call = (token: string) =>
      fetch(serving.url, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          accept: "application/json, text/event-stream",
          authorization: `Bearer ${token}`,
          "mcp-session-id": session,
        },
        body: JSON.stringify({ jsonrpc: "2.0", id: 2, method: "tools/list" }),
      });
    expect((await call(issuer.token(claims({ sub: "eve" })))).status).toBe(404);
    expect((await call(issuer.token(claims()))).status).toBe(200);
    expect((await call(issuer.token(claims({ scope: "unship:read" })))).status, "a scope that was taken away").toBe(
      404,
    );
    const expired = issuer.token(claims({ exp: seconds() - 60 }));
    expect((await call(expired)).status).toBe(401);
  });

  it("refuses a foreign Host before it says anything", async () => {
    const { port } = new URL(serving.url);
    const { request } = await import("node:http");
    const status = await new Promise<number | undefined>((resolve) => {
      const asked = request(
        { host: "127.0.0.1", port, path: "/.well-known/oauth-protected-resource", headers: { host: "evil.example" } },
        (response) => {
          response.resume();
          resolve(response.statusCode);
        },
      );
      asked.end();
    });
    expect(status).toBe(403);
  });
});
