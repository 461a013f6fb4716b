import { createHash } from "node:crypto";
import { once } from "node:events";
import { type ClientRequest, type IncomingMessage, request } from "node:http";
import { connect, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { describe, expect, it } from "vitest";
import { openHttp } from "../../mcp-tools/http.ts";
import { openListener } from "../../mcp-tools/listener/listener.ts";
import { createServer } from "../../mcp-tools/server.ts";
import { context, recordingGate } from "./scenario.ts";

const TOKENS = { reader: "reader-51b0c9e7", writer: "writer-0f6a2d18", other: "other-7720cc31" };

/** A server of 64 sessions, as `unship mcp --http` opens it. Whoever holds READER only reads. */
async function serving() {
  const { gate } = recordingGate({ verdict: "allow", rules: [] });
  const tokens = Object.entries(TOKENS).map(([name, token]) => ({
    name,
    tokenSha256: createHash("sha256").update(token).digest("hex"),
    readOnly: name !== "writer",
  }));
  const served = await openHttp(({ readOnly }) => createServer(context({ gate, caller: "mcp" }), { readOnly }), {
    ...{ host: "127.0.0.1", port: 0, tokens, hosts: [], origins: [], requestsPerMinute: 10_000 },
  });
  return { url: served.url, [Symbol.asyncDispose]: served.close };
}

/** Connects so often from one address; `say`: what is sent on each, which is not a whole request. */
async function crowd(url: string, count: number, localAddress: string, say = ""): Promise<void> {
  for (let at = 0; at < count; at += 1) {
    const socket = connect({ port: Number(new URL(url).port), host: "127.0.0.1", localAddress });
    socket.on("error", () => {});
    open.push(socket);
    await Promise.race([once(socket, "connect"), once(socket, "close")]);
    socket.write(say);
  }
}

const open: (ClientRequest | Socket)[] = [];

async function asked(url: string, method: string, token: string, more: Record<string, string> = {}, body?: unknown) {
  const headers = { authorization: `Bearer ${token}`, accept: "application/json, text/event-stream", ...more };
  const sent = request(url, { method, headers: { ...headers, "content-type": "application/json" } });
  sent.on("error", () => {});
  open.push(sent);
  sent.end(body === undefined ? undefined : JSON.stringify(body));
  const [response] = (await once(sent, "response")) as [IncomingMessage];
  response.on("error", () => {});
  return response;
}

const INITIALIZE = {
  ...{ jsonrpc: "2.0", id: 1, method: "initialize" },
  params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "raw", version: "0" } },
};

const PING = { jsonrpc: "2.0", id: 2, method: "ping" };

/** Begins a session and listens in it for good, as a client does that means to stay. Its status, and its id. */
async function listening(url: string, token: string) {
  const begun = await asked(url, "POST", token, {}, INITIALIZE);
  const said = await text(begun);
  const id = String(begun.headers["mcp-session-id"]);
  if (begun.statusCode === 200) (await asked(url, "GET", token, { "mcp-session-id": id })).resume();
  return { status: begun.statusCode, said, id };
}

async function served(url: string, token: string) {
  const client = new Client({ name: "an-assistant", version: "1" });
  const requestInit = { headers: { authorization: `Bearer ${token}` } };
  await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit }));
  const { structuredContent } = await client.callTool({ name: "get_findings", arguments: {} });
  return { found: structuredContent, tools: (await client.listTools()).tools.map(({ name }) => name), client };
}

describe("one token that takes all that it can get", () => {
  it("opens 64 sessions and listens in each: who may act is served, and so is another who reads", async () => {
    await using server = await serving();
    const own = [];
    for (let count = 0; count < 64; count += 1) own.push(await listening(server.url, TOKENS.reader));
    const writer = await served(server.url, TOKENS.writer);
    expect(writer.found).toMatchObject({ affected: { origin: "checkout" } });
    expect(writer.tools).toContain("submit_plan");
    const other = await served(server.url, TOKENS.other);
    expect(other.found).toMatchObject({ affected: { origin: "checkout" } });
    expect(own.filter(({ status }) => status === 200)).toHaveLength(16);
    expect(own.at(-1)?.status).toBe(429);
    expect(own.at(-1)?.said).toContain("You hold all 16 sessions that one token may");
    await Promise.all([writer.client.close(), other.client.close()]);
    for (const one of open.splice(0)) one.destroy();
  });

  it("opens them all at the same moment: no more get through than one after another", async () => {
    await using server = await serving();
    const own = await Promise.all(
      Array.from({ length: 100 }, () => asked(server.url, "POST", TOKENS.reader, {}, INITIALIZE)),
    );
    await Promise.all(own.map((one) => text(one)));
    const ids = own.flatMap(({ headers }) => headers["mcp-session-id"] ?? []).map(String);
    const alive = [];
    for (const id of ids) {
      const answer = await asked(server.url, "POST", TOKENS.reader, { "mcp-session-id": id }, PING);
      await text(answer);
      alive.push(answer.statusCode === 200);
    }
    expect(alive.filter(Boolean).length).toBeLessThanOrEqual(16);
    for (const one of open.splice(0)) one.destroy();
  });

  it("leaves sessions behind without ending them: its own oldest goes, and no other's", async () => {
    await using server = await serving();
    // Between two questions a client that does not listen holds no connection: its session is idle.
    const writer = await asked(server.url, "POST", TOKENS.writer, {}, INITIALIZE);
    await text(writer);
    const left = [];
    for (let count = 0; count < 80; count += 1) {
      const begun = await asked(server.url, "POST", TOKENS.reader, {}, INITIALIZE);
      await text(begun);
      left.push(begun.statusCode);
    }
    expect(new Set(left)).toEqual(new Set([200]));
    const id = { "mcp-session-id": String(writer.headers["mcp-session-id"]) };
    expect((await asked(server.url, "POST", TOKENS.writer, id, PING)).statusCode).toBe(200);
    for (const one of open.splice(0)) one.destroy();
  });

  it("an address that connects and says nothing leaves room for another", async () => {
    await using server = await serving();
    const { port } = new URL(server.url);
    for (let count = 0; count < 600; count += 1) {
      const socket = connect({ port: Number(port), host: "127.0.0.1", localAddress: "127.0.0.2" });
      socket.on("error", () => {});
      open.push(socket);
    }
    const writer = await served(server.url, TOKENS.writer);
    expect(writer.tools).toContain("submit_plan");
    await writer.client.close();
    for (const one of open.splice(0)) one.destroy();
  });

  it.each([
    ["say nothing", ""],
    ["never end the head of a request", "POST /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\n"],
    [
      "never end its body, with a wrong token",
      "POST /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer nobody\r\nContent-Length: 99\r\n\r\n{",
    ],
  ])("connections of three addresses that %s make place for another, and so do those of its own", async (_, say) => {
    await using server = await serving();
    for (const address of ["127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.1"])
      await crowd(server.url, 260, address, say);
    const writer = await served(server.url, TOKENS.writer);
    expect(writer.tools).toContain("submit_plan");
    await writer.client.close();
    for (const one of open.splice(0)) one.destroy();
  });

  it("one token that begins 300 requests and ends none leaves room for another, behind the same proxy", async () => {
    await using server = await serving();
    const head = `POST /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${TOKENS.reader}\r\nContent-Type: application/json\r\n`;
    await crowd(server.url, 300, "127.0.0.1", `${head}Content-Length: 99\r\n\r\n{`);
    const writer = await served(server.url, TOKENS.writer);
    expect(writer.tools).toContain("submit_plan");
    await writer.client.close();
    for (const one of open.splice(0)) one.destroy();
  });
});

describe("the listener beside the watch", () => {
  it.each([
    ["say nothing", ""],
    [
      "never end what they say",
      "POST /v1/plans/p/approve HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{",
    ],
  ])("answers people behind the proxy through which 300 connections came that %s", async (_, say) => {
    const route = { method: "GET", path: /^\/here$/, handle: async () => ({ status: 200, body: "yes" }) } as const;
    const listener = await openListener({ host: "127.0.0.1", port: 0, hosts: [], origins: [], routes: [route] });
    await crowd(listener.url, 300, "127.0.0.1", say);
    const answer = await asked(`${listener.url}/here`, "GET", TOKENS.writer);
    expect(await text(answer)).toBe('"yes"');
    for (const one of open.splice(0)) one.destroy();
    await listener.close();
  });
});
