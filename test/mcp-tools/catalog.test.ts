import { readdirSync } from "node:fs";
import { join } from "node:path";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { InMemoryTransport } from "@modelcontextprotocol/sdk/inMemory.js";
import { countTokens } from "gpt-tokenizer/encoding/o200k_base";
import { describe, expect, it } from "vitest";
import { TOOLS } from "../../mcp-tools/catalog.ts";
import type { ToolContext } from "../../mcp-tools/context.ts";
import { createServer, type ServerOptions } from "../../mcp-tools/server.ts";
import { context, noSources, recordingGate } from "./scenario.ts";

const FOLDER = join(import.meta.dirname, "../../mcp-tools/tools");
const { gate } = recordingGate({ verdict: "allow", rules: [] });
const draft = async () => "# Postmortem";
/** All that a context can offer. */
const commits = [{ name: "forge", commits: async () => [] }];
const sources = { ...noSources, commits };
const whole = context({ gate, draft, sources });

async function listed(of: ToolContext, options: ServerOptions = {}) {
  const [ours, theirs] = InMemoryTransport.createLinkedPair();
  await createServer(of, options).connect(theirs);
  const client = new Client({ name: "catalog", version: "0" });
  await client.connect(ours);
  const { tools } = await client.listTools();
  await client.close();
  return tools;
}

describe("the catalog", () => {
  it("has every tool's file, under the tool's name, and each has a test", () => {
    const files = readdirSync(FOLDER).sort();
    expect(TOOLS.map(({ name }) => `${name.replaceAll("_", "-")}.ts`).sort()).toEqual(files);
    const tests = readdirSync(join(import.meta.dirname, "tools")).sort();
    expect(tests).toEqual(files.map((file) => file.replace(/\.ts$/, ".test.ts")));
  });

  it("has at most 20 tools, each described in at most 1,000 characters", () => {
    expect(TOOLS.length).toBeLessThanOrEqual(20);
    expect(TOOLS.filter(({ description }) => description.length > 1_000 || description.length < 40)).toEqual([]);
  });

  it("costs a client at most 5,000 tokens, output schemas included", async () => {
    const tools = await listed(whole);
    expect(tools).toHaveLength(TOOLS.length);
    expect(countTokens(JSON.stringify(tools))).toBeLessThanOrEqual(5_000);
  });

  it("declares the input of each tool strictly, what its output does not tell by itself, and each hint that means something", async () => {
    for (const tool of await listed(whole)) {
      expect(tool.inputSchema.additionalProperties, tool.name).toBe(false);
      expect(tool.outputSchema?.type, tool.name).toBe("object");
      const { readOnlyHint, destructiveHint, idempotentHint, openWorldHint } = tool.annotations ?? {};
      expect([typeof readOnlyHint, typeof destructiveHint, typeof openWorldHint], tool.name).toEqual(
        Array(3).fill("boolean"),
      );
      expect(typeof idempotentHint, tool.name).toBe(readOnlyHint ? "undefined" : "boolean");
    }
  });

  it("calls exactly those tools read-only that neither propose nor submit, and only submit_plan destructive", async () => {
    const tools = await listed(whole);
    expect(tools.filter((tool) => tool.annotations?.readOnlyHint === false).map(({ name }) => name)).toEqual([
      "propose_plan",
      "submit_plan",
    ]);
    expect(tools.filter((tool) => tool.annotations?.destructiveHint).map(({ name }) => name)).toEqual(["submit_plan"]);
  });

  it.each<[string, ToolContext, ServerOptions]>([
    ["with --read-only", whole, { readOnly: true }],
    ["without a gate", context({ gate: null, draft, sources }), {}],
  ])("does not even register what acts %s", async (_, of, options) => {
    const names = (await listed(of, options)).map(({ name }) => name);
    expect(names).not.toContain("propose_plan");
    expect(names).not.toContain("submit_plan");
    expect(names).toHaveLength(TOOLS.length - 2);
  });

  it("registers no drafting of postmortems where none are made", async () => {
    const names = (await listed(context({ gate, sources }))).map(({ name }) => name);
    expect(names).toHaveLength(TOOLS.length - 1);
    expect(names).not.toContain("draft_postmortem");
  });

  it("registers no reading of commits where no source has any", async () => {
    const names = (await listed(context({ gate, draft }))).map(({ name }) => name);
    expect(names).toHaveLength(TOOLS.length - 1);
    expect(names).not.toContain("get_commits");
  });
});
