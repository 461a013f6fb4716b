import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js";
import type { UnshipServer } from "./server.ts";

/**
 * Serves on standard input and output until the client closes its end; resolves then. Standard output belongs to the
 * protocol from here on: everything else must go to standard error.
 */
export async function serveStdio(server: UnshipServer, abort?: AbortSignal): Promise<void> {
  const transport = new StdioServerTransport();
  const ended = Promise.withResolvers<void>();
  process.stdin.once("end", ended.resolve);
  process.stdin.once("close", ended.resolve);
  abort?.addEventListener("abort", () => ended.resolve(), { once: true });
  if (abort?.aborted) ended.resolve();
  await server.connect(transport, "stdio");
  await ended.promise;
  await server.close();
}
