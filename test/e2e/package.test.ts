import { execFileSync } from "node:child_process";
import { globSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type DemoRun, lastLine, runIn } from "./demo-run.ts";
import { CHECKOUT, packInto } from "./packed.ts";

const LONG_MS = 300_000;

/** Sources that this machine could have; nothing is asked of them before a tool is called. */
const SMALL = `data_sources:
  metrics:
    type: prometheus
    endpoint: "http://127.0.0.1:9090"
rollback_policies:
  review:
    conditions:
      - metric: error_rate
        threshold: 0.05
        duration: "3m"
    action: notify_and_recommend
`;

/** An empty folder in which somebody installed what `npm pack` makes of the checkout. */
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "unship-package-"));
  const tarball = packInto(folder);
  execFileSync("npm", ["init", "-y"], { cwd: folder, stdio: "pipe" });
  execFileSync("npm", ["install", "--no-audit", "--no-fund", "--prefer-offline", `./${tarball}`], {
    cwd: folder,
    stdio: "pipe",
  });
}, LONG_MS);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const unship = (end: AbortSignal, ...given: readonly string[]): Promise<DemoRun> =>
  runIn(folder, end, ["npx", "--no-install", "unship", ...given]);

describe("the package that npm pack makes, installed in an empty folder", () => {
  it("holds no generator, no recorded incident and no test", () => {
    const files = globSync("node_modules/unship/**/*", { cwd: folder });
    expect(files.length).toBeGreaterThan(500);
    expect(
      files.filter((name) => /\/(?:test|scripts)\/|evals\/(?:data|scenarios|independent|bench)\//.test(name)),
    ).toEqual([]);
    expect(files.filter((name) => /\.(?:jsonl|gz|ts)$/.test(name))).toEqual([]);
  });

  it("says its version, checks its own example and replays an incident", { timeout: LONG_MS }, async ({ signal }) => {
    const { version } = JSON.parse(readFileSync(join(CHECKOUT, "package.json"), "utf8")) as { version: string };
    expect(await unship(signal, "--version")).toMatchObject({ code: 0, out: `${version}\n` });
    const example = "node_modules/unship/examples/unship.yaml";
    const checked = await unship(signal, "check", "-c", example, "--offline");
    expect(checked, checked.err).toMatchObject({ code: 0, out: expect.stringMatching(/^Mode: observe\./) });
    const [bundle = ""] = globSync("evals/data/incidents/*/", { cwd: CHECKOUT }).sort();
    const replayed = await unship(signal, "replay", join(CHECKOUT, bundle), "--json");
    expect(replayed, replayed.err).toMatchObject({ code: 0 });
    expect(JSON.parse(replayed.out)).toBeTruthy();
  });

  it("says where to find what benchmarks need", { timeout: LONG_MS }, async ({ signal }) => {
    const run = await unship(signal, "bench", "tick");
    expect(run).toMatchObject({ code: 3, out: "", err: expect.stringMatching(/^unship: .*from a checkout[^\n]*\n$/) });
  });

  it("serves MCP", { timeout: LONG_MS }, async () => {
    const client = new Client({ name: "package-test", version: "1" });
    writeFileSync(join(folder, "unship.yaml"), SMALL);
    const args = ["--no-install", "unship", "mcp", "-c", "unship.yaml"];
    await client.connect(new StdioClientTransport({ command: "npx", args, cwd: folder, stderr: "ignore" }));
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toEqual(expect.arrayContaining(["list_changes", "submit_plan"]));
    await client.close();
  });

  it("prints for a client what starts it from anywhere", { timeout: LONG_MS }, async ({ signal }) => {
    writeFileSync(join(folder, "unship.yaml"), SMALL);
    const { out } = await unship(signal, "mcp", "-c", "unship.yaml", "--print-config", "claude-desktop");
    const { command, args } = JSON.parse(out).mcpServers.unship;
    expect(args[0]).toBe(join(realpathSync(folder), "node_modules/unship/bin/unship.cjs"));
    const client = new Client({ name: "package-test", version: "1" });
    await client.connect(new StdioClientTransport({ command, args, cwd: tmpdir(), env: {}, stderr: "ignore" }));
    expect((await client.listTools()).tools.map(({ name }) => name)).toContain("get_situation");
    await client.close();
  });

  it("runs the demo, which ends well without an act where the trouble comes from outside, and says null for what there was not", {
    timeout: LONG_MS,
  }, async ({ signal }) => {
    const run = await unship(signal, "demo", "--json", "--scenario", "external-outage");
    const result = lastLine(run);
    expect(run, run.err).toMatchObject({ code: 0 });
    expect(result, run.err).toMatchObject({ scenario: "external-outage", action: "no_action" });
    expect(result, run.err).toMatchObject({
      executed_at: null,
      recovered_at: null,
      guardrail: null,
      postmortem: null,
    });
    expect(result.detected_at, run.err).not.toBeNull();
  });
});
