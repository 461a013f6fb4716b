import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { describe, expect, it } from "vitest";
import { ROOT, unshipProcess } from "./run-cli.ts";

const TOOL = "get_configuration_problems";

/** A folder, a source that counts who asks it, and a configuration that is right. */
async function place() {
  const folder = mkdtempSync(join(tmpdir(), "unship-diagnostic-"));
  let asked = 0;
  const source = createServer((_, response) => {
    asked += 1;
    response.end("{}");
  });
  await new Promise<void>((resolve) => source.listen(0, "127.0.0.1", resolve));
  const { port } = source.address() as AddressInfo;
  const right = [
    "data_sources:",
    "  metrics:",
    "    type: prometheus",
    `    endpoint: "http://127.0.0.1:${port}"`,
    "rollback_policies:",
    "  review:",
    "    conditions: [{ metric: error_rate, threshold: 0.05, duration: 3m }]",
    "    action: notify_and_recommend",
    "ledger: { path: ledger.db }",
    "knowledge: { path: knowledge }",
  ].join("\n");
  const file = join(folder, "unship.yaml");
  return {
    folder,
    file,
    right,
    asked: () => asked,
    [Symbol.dispose]: () => {
      source.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function connected(file: string, variables: Record<string, string> = {}) {
  const args = [join(ROOT, "agent/main.ts"), "mcp", "--config", file];
  const transport = new StdioClientTransport({ command: process.execPath, args, env: variables, stderr: "pipe" });
  const client = new Client({ name: "an-assistant", version: "0" });
  await client.connect(transport);
  const problems = async () => {
    const { structuredContent, isError } = await client.callTool({ name: TOOL });
    expect(isError).not.toBe(true);
    return structuredContent as { problems: Record<string, unknown>[]; total: number; next: string };
  };
  return { client, problems, [Symbol.asyncDispose]: () => client.close() };
}

describe("S8: unship mcp with a wrong configuration", () => {
  // biome-ignore-start lint/suspicious/noTemplateCurlyInString: this is how the file spells it
  const cases: readonly (readonly [string, (right: string) => string | null, object])[] = [
    [
      "a key that is none",
      (right) => right.replace("threshold", "treshold"),
      { line: 7, fix: expect.stringContaining("threshold") },
    ],
    ["no YAML", (right) => `${right}\n  : [`, { line: expect.any(Number) }],
    ["an empty file", () => "", { line: 1, fix: expect.stringContaining("data_sources") }],
    [
      "a variable that is not set",
      (right) => right.replace(/http:\/\/[^"]*/, "${PROMETHEUS_URL}"),
      { line: 4, fix: "export PROMETHEUS_URL=..." },
    ],
    [
      "a secret's file that is missing",
      (right) => right.replace("prometheus\n", 'prometheus\n    token: "${file:/nowhere/token}"\n'),
      { line: null, message: expect.stringContaining("/nowhere/token") },
    ],
    ["no file", () => null, { line: null, message: expect.stringContaining("no such file") }],
  ];
  // biome-ignore-end lint/suspicious/noTemplateCurlyInString: this is how the file spells it

  it.each(cases)(
    "serves one tool that says why, where and what to do, and nothing else: %s",
    async (_, wrong, first) => {
      using here = await place();
      const text = wrong(here.right);
      if (text !== null) writeFileSync(here.file, text);
      const before = readdirSync(here.folder);
      await using one = await connected(here.file);
      expect(one.client.getServerCapabilities()).toEqual({ tools: { listChanged: false } });
      const { tools } = await one.client.listTools();
      expect(tools.map(({ name, annotations }) => [name, annotations?.readOnlyHint])).toEqual([[TOOL, true]]);
      const { problems, next } = await one.problems();
      expect(problems[0]).toMatchObject({ file: here.file, ...first });
      expect(next).toContain("start this server again");
      await expect(one.client.callTool({ name: "submit_plan", arguments: { plan_id: "p" } })).rejects.toThrow(TOOL);
      await expect(one.client.listResources()).rejects.toThrow();
      // No source was asked, and neither a ledger nor a memory was made.
      expect(here.asked()).toBe(0);
      expect(readdirSync(here.folder)).toEqual(before);
      // Once it is right it says so, and still serves nothing else.
      writeFileSync(here.file, here.right);
      expect(await one.problems()).toMatchObject({
        problems: [],
        total: 0,
        next: expect.stringContaining("right by now"),
      });
      expect((await one.client.listTools()).tools).toHaveLength(1);
      expect(existsSync(join(here.folder, "ledger.db"))).toBe(false);
    },
    60_000,
  );

  it("S10: shows no value of a variable", async () => {
    using here = await place();
    // biome-ignore lint/suspicious/noTemplateCurlyInString: this is how the file spells it
    writeFileSync(here.file, here.right.replace("3m", "${SECRET_DURATION}").replace("0.05", '"${SECRET_NUMBER}"'));
    const variables = { SECRET_DURATION: "hunter2secret", SECRET_NUMBER: "hunter3secret" };
    await using one = await connected(here.file, variables);
    const said = JSON.stringify(await one.problems());
    expect(said).toContain(here.file);
    expect(said).not.toMatch(/hunter\dsecret/);
  }, 60_000);

  it("ends with the exit code of a wrong configuration, its problems on standard error and nothing on standard output", async () => {
    using here = await place();
    writeFileSync(here.file, here.right.replace("threshold", "treshold"));
    const { code, out, err } = await unshipProcess(["mcp", "--config", here.file]);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toContain(`${here.file}:7:`);
    // Over HTTP nobody's token is known: nothing is served.
    expect((await unshipProcess(["mcp", "--config", here.file, "--http", "127.0.0.1:0"])).code).toBe(2);
    expect(readFileSync(here.file, "utf8")).toContain("treshold");
  }, 60_000);
});
