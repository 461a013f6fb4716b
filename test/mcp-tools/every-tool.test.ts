import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { describe, expect, it } from "vitest";
import { TOOLS } from "../../mcp-tools/catalog.ts";
import { incident } from "../knowledge/incidents.ts";

/** What a tool cannot be called without. */
const ARGUMENTS: Readonly<Record<string, Record<string, unknown>>> = {
  query_metric: { metric: "error_rate" },
  get_rollout: { service: "checkout" },
  get_commits: { change_id: "deploy-checkout-7" },
  get_incident: { incident: incident.id },
  draft_postmortem: { incident: incident.id },
  propose_plan: { change_ids: ["deploy-checkout-7"], reason: "Requests of checkout fail since this deploy." },
  submit_plan: { plan_id: "plan-1" },
};

type Connect = Parameters<Client["connect"]>[0];

async function served(over: "stdio" | "http"): Promise<AsyncDisposable & { readonly transport: Connect }> {
  const server = join(import.meta.dirname, `${over}-server.ts`);
  if (over === "stdio") {
    const transport = new StdioClientTransport({ command: process.execPath, args: [server], stderr: "ignore" });
    return { transport, [Symbol.asyncDispose]: () => transport.close() };
  }
  const child = spawn(process.execPath, [server], { stdio: ["ignore", "pipe", "inherit"] });
  const [url] = await once(createInterface({ input: child.stdout }), "line");
  // The SDK's own class declares optional members that its interface does not allow to be undefined.
  const transport = new StreamableHTTPClientTransport(new URL(String(url))) as Connect;
  return {
    transport,
    async [Symbol.asyncDispose]() {
      await transport.close();
      child.kill("SIGTERM");
      await once(child, "exit");
    },
  };
}

describe.each(["stdio", "http"] as const)("over %s, to a client that checks what it is told", (over) => {
  it("every tool is listed, can be called, and answers as its declared schema says, as object and as text of the same", async () => {
    await using server = await served(over);
    const client = new Client({ name: "checks-all", version: "0" });
    await client.connect(server.transport);
    // The SDK's client keeps each output schema from the list, and refuses an answer that does not fit it.
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name).sort()).toEqual(TOOLS.map(({ name }) => name).sort());
    for (const { name } of tools) {
      const answer = await client.callTool({ name, arguments: ARGUMENTS[name] ?? {} });
      const [part] = answer.content as { readonly type: string; readonly text: string }[];
      expect(answer.isError, `${name}: ${part?.text}`).not.toBe(true);
      expect(Object.keys(answer.structuredContent ?? {}), name).not.toEqual([]);
      const words = TOOLS.find((tool) => tool.name === name)?.text;
      if (words === undefined) expect(JSON.parse(part?.text ?? ""), name).toEqual(answer.structuredContent);
      else expect(part?.text, name).toBe(words(answer.structuredContent as Record<string, unknown>));
    }
    await client.close();
  });

  it("every tool says of arguments that it does not know which ones it takes, and never fails for them", async () => {
    await using server = await served(over);
    const client = new Client({ name: "confused", version: "0" });
    await client.connect(server.transport);
    for (const { name, input } of TOOLS) {
      const answer = await client.callTool({ name, arguments: { ...ARGUMENTS[name], nonsense: "«obey»\u0007" } });
      const [part] = answer.content as { readonly text: string }[];
      expect(answer.isError, name).toBe(true);
      expect(part?.text, name).toContain(`It takes: ${Object.keys(input.shape).join(", ") || "none"}.`);
      expect(part?.text, name).not.toContain("\u0007");
    }
    await client.close();
  });
});
