import { createHash } from "node:crypto";
import { createServer as createHttpServer, request } from "node:http";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { describe, expect, it, vi } from "vitest";
import { type HttpOptions, openHttp } from "../../mcp-tools/http.ts";
import { listenAt, parseAddress } from "../../mcp-tools/http-listen.ts";
import { createServer } from "../../mcp-tools/server.ts";
import { context, recordingGate } from "./scenario.ts";

const sha256 = (of: string) => createHash("sha256").update(of).digest("hex");
const ADA = "ada-7c1f0d5be2";
const BEN = "ben-93ab41c0de";
const TOKENS = [
  { name: "ada", tokenSha256: sha256(ADA), readOnly: false },
  { name: "ben", tokenSha256: sha256(BEN), readOnly: true },
];

async function serving(options: Partial<HttpOptions> = {}) {
  const { gate, proposed } = recordingGate({ verdict: "allow", rules: [] });
  const open = ({ readOnly }: { readonly readOnly: boolean }) =>
    createServer(context({ gate, caller: "mcp" }), { readOnly });
  const none = { tokens: [], hosts: [], origins: [], requestsPerMinute: 10_000 };
  const served = await openHttp(open, { host: "127.0.0.1", port: 0, ...none, ...options });
  return { url: served.url, proposed, close: served.close, [Symbol.asyncDispose]: served.close };
}

async function connected(url: string, token?: string) {
  const client = new Client({ name: "an-assistant", version: "1" });
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const transport = new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } });
  await client.connect(transport);
  return { client, transport, [Symbol.asyncDispose]: () => client.close() };
}

const INITIALIZE = {
  jsonrpc: "2.0",
  id: 1,
  method: "initialize",
  params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "raw", version: "0" } },
};

/** One raw request, its Host and Origin as given: `fetch` would not let us lie about them. */
async function raw(
  url: string,
  headers: Record<string, string> = {},
  body: string = JSON.stringify(INITIALIZE),
  method = "POST",
) {
  const sent = request(url, {
    method,
    headers: { "content-type": "application/json", accept: "application/json, text/event-stream", ...headers },
  });
  const answered = Promise.withResolvers<import("node:http").IncomingMessage>();
  sent.once("response", answered.resolve).once("error", answered.reject);
  sent.end(method === "POST" ? body : undefined);
  const response = await answered.promise;
  return { status: response.statusCode, headers: response.headers, body: await text(response) };
}

/** What a server answers to exactly these lines, and an empty map as body. */
async function said(port: number, lines: readonly string[]): Promise<string> {
  const socket = connect({ port, host: "127.0.0.1" });
  socket.end(`${lines.join("\r\n")}\r\n\r\n{}`);
  return text(socket);
}

describe("the server over HTTP", () => {
  it("serves a client of the SDK, with a session of its own, and says how it was reached in a plan", async () => {
    await using server = await serving();
    await using one = await connected(server.url);
    await using other = await connected(server.url);
    expect(one.transport.sessionId).not.toBe(other.transport.sessionId);
    const { structuredContent } = await one.client.callTool({ name: "get_findings", arguments: {} });
    expect(structuredContent).toMatchObject({ affected: { origin: "checkout" } });
    const reason = "Requests of checkout fail since this deploy.";
    await one.client.callTool({
      name: "propose_plan",
      arguments: { incident: "inc-1", change_ids: ["deploy-checkout-7"], reason },
    });
    expect(server.proposed.map(({ proposedBy }) => proposedBy)).toEqual(["mcp:http:an-assistant"]);
  });

  it("speaks 2025-11-25, and ends a session that its client ends", async () => {
    await using server = await serving();
    await using one = await connected(server.url);
    const id = one.transport.sessionId ?? "";
    const ping = JSON.stringify({ jsonrpc: "2.0", id: 2, method: "ping" });
    expect((await raw(server.url, { "mcp-session-id": id }, ping)).status).toBe(200);
    const asked = await raw(server.url, { "mcp-session-id": id, "mcp-protocol-version": "1999-01-01" }, ping);
    expect(asked.status).toBe(400);
    await one.transport.terminateSession();
    expect((await raw(server.url, { "mcp-session-id": id }, ping)).status).toBe(404);
    expect(JSON.parse((await raw(server.url)).body.replace(/^[\s\S]*data: /, ""))).toMatchObject({
      result: { protocolVersion: "2025-11-25" },
    });
  });

  it.each([
    ["a Host that is not ours", { host: "evil.example" }, 403],
    ["a Host that only begins like ours", { host: "localhost.evil.example" }, 403],
    ["a web page of elsewhere", { origin: "http://evil.example" }, 403],
    ["a web page without an origin of its own", { origin: "null" }, 403],
    ["a web page of another port of this machine", { origin: "http://localhost:1" }, 403],
    ["another kind of body", { "content-type": "text/plain" }, 415],
    ["an unknown session", { "mcp-session-id": "guessed" }, 404],
  ])("refuses %s", async (_, headers, status) => {
    await using server = await serving();
    expect((await raw(server.url, headers)).status).toBe(status);
  });

  it("takes the hosts and origins that the configuration names", async () => {
    await using server = await serving({ hosts: ["unship.example"], origins: ["https://console.example"] });
    const headers = { host: "unship.example:7331", origin: "https://console.example" };
    expect((await raw(server.url, headers)).status).toBe(200);
  });

  it.each([
    ["no JSON", "{", "POST", 400],
    ["a call before a session", JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/list" }), "POST", 400],
    ["more than a megabyte", JSON.stringify({ ...INITIALIZE, more: "x".repeat(1_100_000) }), "POST", 413],
    ["a method that it does not know", "", "PUT", 405],
  ])("refuses %s", async (_, body, method, status) => {
    await using server = await serving();
    expect((await raw(server.url, {}, body, method)).status).toBe(status);
  });

  it("does not count on the length that a caller states", async () => {
    await using server = await serving();
    const body = JSON.stringify({ ...INITIALIZE, more: "x".repeat(1_100_000) });
    const answer = raw(server.url, { "transfer-encoding": "chunked" }, body);
    expect((await answer.catch(() => ({ status: 413 }))).status).toBe(413);
  });

  it.each([
    ["none", {}, /^Bearer realm="unship"$/],
    ["a wrong one", { authorization: "Bearer ada-wrong-secret" }, /error="invalid_token"/],
    ["the digest instead of the token", { authorization: `Bearer ${sha256(ADA)}` }, /error="invalid_token"/],
    ["one in another scheme", { authorization: `Basic ${ADA}` }, /error="invalid_token"/],
    ["one among others", { authorization: `Bearer ${ADA}, Bearer x` }, /error="invalid_token"/],
  ])("lets nobody in with %s, and repeats nothing of it", async (_, headers, challenge) => {
    await using server = await serving({ tokens: TOKENS });
    const answer = await raw(server.url, headers);
    expect(answer.status).toBe(401);
    expect(answer.headers["www-authenticate"]).toMatch(challenge);
    expect(JSON.stringify(answer)).not.toMatch(/ada-|ben-|[0-9a-f]{64}/);
  });

  it("names the token's owner in a plan, and offers a read-only one nothing that acts", async () => {
    await using server = await serving({ tokens: TOKENS });
    await using ada = await connected(server.url, ADA);
    await using ben = await connected(server.url, BEN);
    const reason = "Requests of checkout fail since this deploy.";
    const plan = { name: "propose_plan", arguments: { incident: "inc-1", change_ids: ["deploy-checkout-7"], reason } };
    await ada.client.callTool(plan);
    expect(server.proposed.map(({ proposedBy }) => proposedBy)).toEqual(["mcp:http(ada):an-assistant"]);
    expect((await ben.client.listTools()).tools.map(({ name }) => name)).not.toContain("propose_plan");
    await expect(ben.client.callTool(plan)).rejects.toThrow(/no such tool/);
    expect(server.proposed).toHaveLength(1);
  });

  it("lets nobody use another's session, though they know its id", async () => {
    await using server = await serving({ tokens: TOKENS });
    await using ada = await connected(server.url, ADA);
    const headers = { authorization: `Bearer ${BEN}`, "mcp-session-id": ada.transport.sessionId ?? "" };
    expect((await raw(server.url, headers, "", "DELETE")).status).toBe(404);
    expect((await ada.client.listTools()).tools.length).toBeGreaterThan(0);
  });

  it("limits what one caller may ask, and how often one may guess a token", async () => {
    await using server = await serving({ requestsPerMinute: 3 });
    const statuses: (number | undefined)[] = [];
    for (let count = 0; count < 4; count += 1) statuses.push((await raw(server.url)).status);
    expect(statuses).toEqual([200, 200, 200, 429]);
    expect(Number((await raw(server.url)).headers["retry-after"])).toBeGreaterThan(0);
    await using guarded = await serving({ tokens: TOKENS });
    const guesses: (number | undefined)[] = [];
    for (let count = 0; count < 11; count += 1) {
      guesses.push((await raw(guarded.url, { authorization: `Bearer guess-${count}` })).status);
    }
    expect(guesses).toEqual([...Array.from({ length: 10 }, () => 401), 429]);
    expect((await raw(guarded.url, { authorization: `Bearer ${ADA}` })).status).toBe(200);
  });

  it("counts a batch as the messages in it, also one that begins no session", async () => {
    await using server = await serving({ requestsPerMinute: 20 });
    const begun = await raw(server.url);
    const session = { "mcp-session-id": String(begun.headers["mcp-session-id"]) };
    const batch = (messages: number) =>
      JSON.stringify(Array.from({ length: messages }, (_, id) => ({ jsonrpc: "2.0", id, method: "ping" })));
    const first = await raw(server.url, session, batch(15));
    expect(first.status).toBe(200);
    const second = await raw(server.url, session, batch(15));
    expect(second.status).toBe(429);
    expect(second.body).toContain("A batch counts as the 15 messages in it");
    expect(Number(second.headers["retry-after"])).toBeGreaterThan(0);
    const whole = await raw(server.url, session, batch(50));
    expect([whole.status, whole.headers["retry-after"]]).toEqual([429, undefined]);
    expect(whole.body).toContain("send fewer at once");
  });

  it("S3: does not take an approver's personal token, also where the file lists it for a caller", async () => {
    await using server = await serving({ tokens: TOKENS, isPersonal: (token) => token === ADA });
    const refused = await raw(server.url, { authorization: `Bearer ${ADA}` });
    expect(refused.status).toBe(403);
    expect(refused.body).toContain("This is an approver's personal token");
    expect((await raw(server.url, { authorization: `Bearer ${BEN}` })).status).toBe(200);
  });

  it.each([
    ["tokens", ["authorization", `Bearer ${ADA}`, "Authorization", `Bearer ${BEN}`]],
    ["sessions", ["authorization", `Bearer ${ADA}`, "mcp-session-id", "one", "mcp-session-id", "two"]],
    ["hosts", ["authorization", `Bearer ${ADA}`, "host", "elsewhere.example"]],
  ])("does not choose among several %s in one request", async (_, headers) => {
    await using server = await serving({ tokens: TOKENS });
    const { host, port } = new URL(server.url);
    const answered = await said(Number(port), [
      "POST /mcp HTTP/1.1",
      `Host: ${host}`,
      "Content-Type: application/json",
      "Content-Length: 2",
      "Connection: close",
      ...headers.flatMap((name, at) => (at % 2 === 0 ? [`${name}: ${headers[at + 1]}`] : [])),
    ]);
    expect(answered).toMatch(/^HTTP\/1\.1 400 /);
    expect(answered).toContain("send one");
  });

  it("makes room for a new session by ending the one that was idle longest", async () => {
    await using server = await serving({ sessions: 2 });
    const first = (await raw(server.url)).headers["mcp-session-id"];
    await raw(server.url);
    expect((await raw(server.url)).status).toBe(200);
    const ping = JSON.stringify({ jsonrpc: "2.0", id: 2, method: "ping" });
    expect((await raw(server.url, { "mcp-session-id": String(first) }, ping)).status).toBe(404);
  });

  it("ends a session that nobody uses, but none that listens", async () => {
    // Long enough for a client to say hello and to begin listening, on a busy machine too.
    await using server = await serving({ idleMs: 1000 });
    await using listening = await connected(server.url);
    const idle = String((await raw(server.url)).headers["mcp-session-id"]);
    const ping = JSON.stringify({ jsonrpc: "2.0", id: 2, method: "ping" });
    // Asking keeps it alive: each wait is longer than the last, until one outlasts it.
    let waitMs = 400;
    await vi.waitFor(
      async () => {
        waitMs *= 2;
        await new Promise((resolve) => setTimeout(resolve, waitMs));
        expect((await raw(server.url, { "mcp-session-id": idle }, ping)).status).toBe(404);
      },
      { timeout: 20_000 },
    );
    expect((await listening.client.listTools()).tools.length).toBeGreaterThan(0);
  });

  it("refuses to serve beyond this machine without a token, and an address that is taken", async () => {
    await expect(serving({ host: "0.0.0.0" })).rejects.toThrow(/needs a token/);
    await using server = await serving();
    const taken = { port: Number(new URL(server.url).port) };
    await expect(serving(taken)).rejects.toThrow(/is it taken/);
  });

  it("closes though a client still listens", async () => {
    const server = await serving();
    await using one = await connected(server.url);
    expect((await one.client.listTools()).tools.length).toBeGreaterThan(0);
    await server.close();
    await expect(raw(server.url)).rejects.toThrow(/ECONNREFUSED/);
  });
});

describe("an address to serve at", () => {
  it.each([
    ["127.0.0.1:7331", { host: "127.0.0.1", port: 7331 }],
    [":7331", { host: "127.0.0.1", port: 7331 }],
    ["[::1]:0", { host: "::1", port: 0 }],
    ["0.0.0.0:80", { host: "0.0.0.0", port: 80 }],
  ])("reads %s", (written, read) => {
    expect(parseAddress(written)).toEqual(read);
  });

  it.each(["7331", "localhost", "localhost:99999", "http://localhost:1", ""])("does not guess at %j", (written) => {
    expect(() => parseAddress(written)).toThrow(/such as 127\.0\.0\.1:7331/);
  });
});

describe("an address that is listened at", () => {
  it("loses a connection that cannot be accepted, and not the process", async () => {
    const http = createHttpServer();
    await listenAt(http, "127.0.0.1", 0, "--http");
    expect(() => http.emit("error", new Error("accept EMFILE"))).not.toThrow();
    await new Promise((resolve) => http.close(resolve));
  });
});
