import { randomUUID } from "node:crypto";
import { createServer as createHttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import { z } from "zod";
import { toolContext } from "../../agent/compose/chain.ts";
import { ephemeralGate, ephemeralLedger } from "../../agent/compose/ephemeral.ts";
import { createAssessor } from "../../core/assessment/assessor.ts";
import { openHttp } from "../../mcp-tools/http.ts";
import { createServer } from "../../mcp-tools/server.ts";
import { serveStdio } from "../../mcp-tools/stdio.ts";
import { openBundle } from "../replay/open-bundle.ts";

/**
 * One of the two servers that `bench mcp` compares, as a process of its own: `unship` with the evidence of a recorded
 * incident held in memory, or `echo`, the SDK's server with tools that only give back what they were given. Over HTTP
 * it writes its address on standard output.
 */
const BUNDLE = join(import.meta.dirname, "../data/incidents/case-0233c8fa");

async function unship() {
  const { sources, clock, config } = await openBundle(BUNDLE, undefined);
  const file = await createAssessor({ sources, config }).gather(clock.now(), new AbortController().signal);
  const { ledger } = await ephemeralLedger();
  const parts = { version: "bench", config, clock, sources, ledger, store: null, gate: ephemeralGate };
  return () => createServer(toolContext(parts, async () => file, "bench"));
}

/**
 * `echo` gives back its argument. `repeat` gives back, as object and as text, what `keep` was given before: the least
 * that an answer of that size can cost, with nothing read, made or checked for it.
 */
function echo(): McpServer {
  const server = new McpServer({ name: "echo", version: "0" });
  server.registerTool("echo", { inputSchema: { text: z.string() } }, ({ text }) => ({
    content: [{ type: "text", text }],
  }));
  const answer = z.looseObject({});
  let kept: z.output<typeof answer> = {};
  let text = "";
  server.registerTool("keep", { inputSchema: { answer } }, (input) => {
    kept = input.answer;
    text = JSON.stringify(kept);
    return { content: [] };
  });
  server.registerTool("repeat", { inputSchema: {}, outputSchema: answer }, () => ({
    content: [{ type: "text", text }],
    structuredContent: kept,
  }));
  return server;
}

async function echoOverHttp(): Promise<string> {
  const transports = new Map<string, StreamableHTTPServerTransport>();
  const http = createHttpServer(async (request, response) => {
    const known = transports.get(String(request.headers["mcp-session-id"]));
    if (known !== undefined) return known.handleRequest(request, response);
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: (id) => void transports.set(id, transport),
    });
    // The SDK's own class declares optional members that its interface does not allow to be undefined.
    await echo().connect(transport as Parameters<McpServer["connect"]>[0]);
    await transport.handleRequest(request, response);
  });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(http.address() as AddressInfo).port}/mcp`;
}

const [which, over] = process.argv.slice(2);
if (which === "echo" && over === "stdio") await echo().connect(new StdioServerTransport());
else if (which === "echo") process.stdout.write(`${await echoOverHttp()}\n`);
else {
  const open = await unship();
  if (over === "stdio") await serveStdio(open());
  else {
    const limits = { tokens: [], hosts: [], origins: [], requestsPerMinute: 1e9 };
    const { url } = await openHttp(open, { host: "127.0.0.1", port: 0, ...limits });
    process.stdout.write(`${url}\n`);
  }
}
