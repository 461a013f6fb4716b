import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { InMemoryTransport } from "@modelcontextprotocol/sdk/inMemory.js";
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js";
import { CallToolResultSchema } from "@modelcontextprotocol/sdk/types.js";
import type { ToolClient } from "./tool-client.ts";

/** Long enough for a slow vendor behind a tool; the chain's own deadline is shorter and comes as an abort signal. */
const CALL_TIMEOUT_MS = 60_000;

/** A client of an MCP server over any transport; connected when the promise resolves. */
export async function connectTools(transport: Transport, client = "unship-chain", version = "0"): Promise<ToolClient> {
  const mcp = new Client({ name: client, version });
  await mcp.connect(transport);
  return {
    async tools() {
      const { tools } = await mcp.listTools();
      return tools.map(({ name, description = "", inputSchema, annotations }) => ({
        name,
        description,
        inputSchema,
        readOnly: annotations?.readOnlyHint === true,
      }));
    },
    async call(name, args, abort) {
      const options = { timeout: CALL_TIMEOUT_MS, ...(abort === undefined ? {} : { signal: abort }) };
      const answer = await mcp.request(
        { method: "tools/call", params: { name, arguments: args } },
        CallToolResultSchema,
        options,
      );
      const text = answer.content.flatMap((part) => (part.type === "text" ? [part.text] : [])).join("\n");
      return { structured: answer.structuredContent ?? null, text, isError: answer.isError === true };
    },
    close: () => mcp.close(),
  };
}

/** A client linked to a server in the same process. `serve` is given the server's end: `server.connect`. */
export async function linkTools(serve: (transport: Transport) => Promise<void>): Promise<ToolClient> {
  const [ours, theirs] = InMemoryTransport.createLinkedPair();
  await serve(theirs);
  return connectTools(ours);
}
