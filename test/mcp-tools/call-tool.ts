import { linkTools } from "../../agent/chain/mcp-client.ts";
import type { ToolResult } from "../../agent/chain/tool-client.ts";
import type { ToolContext } from "../../mcp-tools/context.ts";
import { createServer, type ServerOptions } from "../../mcp-tools/server.ts";

/** Calls one tool through a real client and server over a linked transport, as every caller does. */
export async function callTool(
  context: ToolContext,
  name: string,
  args: Record<string, unknown> = {},
  options: ServerOptions = {},
): Promise<ToolResult> {
  const client = await linkTools(createServer(context, options).connect);
  try {
    return await client.call(name, args);
  } finally {
    await client.close();
  }
}
