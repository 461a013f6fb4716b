import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { compileCacheVariable } from "../../../evals/compile-cache.ts";
import { fakeExporter } from "../../fakes/fake-exporter.ts";
import { fakePagerduty } from "../../fakes/fake-pagerduty.ts";
import { BOT_TOKEN, fakeSlack } from "../../fakes/fake-slack.ts";
import { ROOT, unship } from "./run-cli.ts";

const MAIN = join(ROOT, "agent/main.ts");
const KEY = "e93facc04764012d7bfb002500d5d1a6";

describe("a watch whose gate, a process of its own, is gone", () => {
  it.each([
    ["tells people directly, once, and once when it is back", true],
    ["says that it can tell nobody, where the tokens are the gate's alone", false],
  ])("%s", async (_, hasTokens) => {
    await using own = new AsyncDisposableStack();
    const folder = mkdtempSync(join(tmpdir(), "unship-away-"));
    own.defer(() => rmSync(folder, { recursive: true, force: true }));
    const at = (name: string) => join(folder, name);
    const exporter = own.use(await fakeExporter(() => "up 1\n"));
    const [slack, pager] = [own.use(await fakeSlack()), own.use(await fakePagerduty([KEY]))];
    writeFileSync(
      at("unship.yaml"),
      `
mode: approve
data_sources:
  metrics: { type: scrape, targets: [{ url: "${exporter.url}", labels: { service: web } }] }
services: { web: {} }
rollback_policies:
  errors:
    conditions: [{ metric: error_rate, threshold: 0.05, duration: 1m }]
    action: notify_and_recommend
    notification: ["slack:#incidents", "pagerduty:oncall"]
notifications:
  slack: { bot_token: "\${BOT}", api_url: "${slack.api}" }
  pagerduty: { routing_keys: { oncall: "\${ROUTING}" }, api_url: "${pager.api.href}" }
knowledge: { path: ${at("knowledge")} }
watch: { step: 1s }
ledger: { path: ${at("gate-ledger.db")} }
gate: { socket: ${at("gate.sock")}, token: "\${CHANNEL}" }
`,
    );
    const agents = { PATH: process.env.PATH ?? "", ...compileCacheVariable(), CHANNEL: "agent-and-gate-share-this" };
    const tokens = { BOT: BOT_TOKEN, ROUTING: KEY };
    const start = (command: string, env: Readonly<Record<string, string>>, lines: string[]): ChildProcess => {
      const words = [MAIN, command, "-c", at("unship.yaml")];
      const child = spawn(process.execPath, words, { env, cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
      own.defer(() => void child.kill("SIGKILL"));
      createInterface({ input: child.stderr ?? process.stdin }).on("line", (line) => lines.push(line));
      createInterface({ input: child.stdout ?? process.stdin }).on("line", (line) => outs.push(line));
      return child;
    };
    const outs: string[] = [];
    const [gates, said]: [string[], string[]] = [[], []];
    const gate = start("gate", { ...agents, ...tokens }, gates);
    await until(() => gates.some((line) => line.includes("The gate answers at")), gates);
    start("watch", hasTokens ? { ...agents, ...tokens } : agents, said);
    await until(() => outs.some((line) => line.includes("watch.started")), said);
    gate.kill("SIGKILL");

    await until(() => said.some((line) => line.includes("UNSHIP CANNOT EVALUATE since ")), said);
    if (hasTokens) await until(() => slack.messages.length > 0 && pager.open.size > 0, said);
    else await until(() => said.some((line) => line.includes("NOBODY IS NOTIFIED of this by chat or pager")), said);
    const status = await unship(["status", "-c", at("unship.yaml")], { variables: agents, cwd: folder });
    expect(status).toMatchObject({ code: 3, out: expect.stringContaining("THE GATE IS AWAY") });
    expect(status.out).toContain("nothing is detected, decided, rolled back or verified");
    const json = await unship(["status", "--json", "-c", at("unship.yaml")], { variables: agents, cwd: folder });
    expect(JSON.parse(json.out)).toMatchObject({ gate: { is_there: false, nothing_evaluated: true } });
    // It goes on for twice as many evaluations again: said again on standard error, and nobody is notified twice.
    await until(() => said.filter((line) => line.includes("UNSHIP CANNOT EVALUATE since ")).length > 1, said);

    start("gate", { ...agents, ...tokens }, gates);
    await until(() => said.includes("UNSHIP EVALUATES AGAIN"), said);
    if (hasTokens) await until(() => slack.messages.length > 1 && pager.open.size === 0, said);
    expect(slack.messages.map(({ text }) => text.split(" since ")[0]?.split(" for ")[0])).toEqual(
      hasTokens ? ["unship cannot evaluate", "unship evaluates again: nothing was evaluated"] : [],
    );
    expect(pager.events.map(({ action }) => action)).toEqual(hasTokens ? ["trigger", "resolve"] : []);
  });
});

/** `said`: what the processes said meanwhile, for whoever reads that it did not come. */
async function until(isThere: () => boolean, said: readonly string[]): Promise<void> {
  for (let tries = 0; tries < 1200; tries += 1) {
    if (isThere()) return;
    await delay(50);
  }
  throw new Error(`it did not come about; said: ${said.join("\n")}`);
}
