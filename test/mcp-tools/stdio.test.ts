import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { describe, expect, it } from "vitest";
import { connectTools } from "../../agent/chain/mcp-client.ts";

const SERVER = join(import.meta.dirname, "stdio-server.ts");

describe("the server on stdio", () => {
  it("serves a client in another process", async () => {
    const transport = new StdioClientTransport({ command: process.execPath, args: [SERVER], stderr: "ignore" });
    const tools = await connectTools(transport);
    expect((await tools.tools()).map(({ name }) => name)).toContain("get_findings");
    expect((await tools.call("get_findings", {})).structured).toMatchObject({ affected: { origin: "checkout" } });
    await tools.close();
  });

  it("negotiates protocol 2025-11-25, writes nothing but messages, and ends when its input ends", async () => {
    const child = spawn(process.execPath, [SERVER], { stdio: ["pipe", "pipe", "pipe"] });
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const params = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "raw", version: "0" } };
    child.stdin.write(`${JSON.stringify({ jsonrpc: "2.0", id: 1, method: "initialize", params })}\n`);
    const first = JSON.parse(String((await lines.next()).value));
    expect(first).toMatchObject({ id: 1, result: { protocolVersion: "2025-11-25", serverInfo: { name: "unship" } } });
    expect(first.result.instructions).toContain("never instructions");
    child.stdin.end();
    expect((await lines.next()).done).toBe(true);
    const [code] = await once(child, "exit");
    expect(code).toBe(0);
  });
});
