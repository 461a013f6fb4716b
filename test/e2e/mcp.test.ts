import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { build, CURRENT_VERSION, NAMESPACE, NEXT_VERSION } from "../../evals/sandbox/shop.ts";
import { openSqliteLedger } from "../../knowledge/ledger/sqlite.ts";
import { approverKey } from "../../mcp-tools/gate/approver-key.ts";
import { eventually, lineOf, MAIN, openShop, type Shop, warmUp } from "./shop.ts";

const LONG_MS = 300_000;
const TOKEN = "a-personal-token-of-ada-and-of-nobody-else";
/** The service that is well, and that somebody wants taken back all the same. */
const SERVICE = "pricing";

const Proposed = z.looseObject({
  plan_id: z.string(),
  verdict: z.string(),
  next: z.string(),
  targets: z.array(z.string()),
});
const Submitted = z.looseObject({
  outcome: z.string(),
  verdict: z.string(),
  next: z.string(),
  executed_at: z.string().nullable(),
  results: z.array(z.looseObject({ result: z.string(), detail: z.string() })),
});
const Changes = z.looseObject({ changes: z.array(z.looseObject({ id: z.string(), to: z.string() })) });
const Deployment = z.looseObject({
  spec: z.looseObject({
    template: z.looseObject({ spec: z.looseObject({ containers: z.array(z.looseObject({ image: z.string() })) }) }),
  }),
});

/** An MCP client of somebody else: the SDK's own, over a process that it starts itself. */
interface Connected {
  readonly client: Client;
  readonly stderr: () => string;
  readonly ask: <T>(tool: string, args: Record<string, unknown>, answer: z.ZodType<T>) => Promise<T>;
}

async function connect(shop: Shop, own: AsyncDisposableStack, ...options: readonly string[]): Promise<Connected> {
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [MAIN, "mcp", "-c", shop.config, ...options],
    env: { ...shop.variables, HOME: shop.directory },
    cwd: shop.directory,
    stderr: "pipe",
  });
  let said = "";
  transport.stderr?.on("data", (chunk: Buffer) => {
    said += chunk.toString("utf8");
  });
  const client = new Client({ name: "an-assistant", version: "1.0.0" });
  await client.connect(transport);
  own.defer(() => client.close());
  const stderr = () => said;
  return {
    client,
    stderr,
    async ask(tool, args, answer) {
      const result = await client.callTool({ name: tool, arguments: args }, undefined, { timeout: LONG_MS });
      if (result.isError === true) throw new Error(`${tool}: ${JSON.stringify(result.content)}\n${said}`);
      return answer.parse(result.structuredContent);
    },
  };
}

describe("an assistant at the MCP server of a running system", () => {
  const own = new AsyncDisposableStack();
  let shop: Shop;
  let incident: string;
  let assistant: Connected;
  let tokenFile: string;
  let plan: string;

  beforeAll(async () => {
    shop = own.use(
      await openShop({
        edit(config) {
          config.setIn(["approval", "token_file"], "same_user");
          config.setIn(["approvers"], [{ name: "ada", token_key: approverKey(TOKEN).text }]);
        },
      }),
    );
    tokenFile = join(shop.directory, "ada.token");
    writeFileSync(tokenFile, `${TOKEN}\n`, { mode: 0o600 });
    const watch = await shop.watch();
    await warmUp();
    // An incident to talk about, that no change of the shop's is guilty of and that is over when the assistant comes.
    shop.sandbox.bankRefuses(0.6);
    const detected = await lineOf(watch, shop.directory, ({ event }) => event === "incident.detected", "detection");
    incident = detected.incident?.id ?? expect.fail("a detection without an incident");
    shop.sandbox.bankRefuses(0);
    await watch[Symbol.asyncDispose]();
    shop.sandbox.push(build(SERVICE, NEXT_VERSION));
    await shop.sandbox.deploy(SERVICE, NEXT_VERSION, "ben");
    await shop.sandbox.steady();
    assistant = await connect(shop, own);
  }, LONG_MS);

  afterAll(() => own.disposeAsync(), LONG_MS);

  const recorded = async (...kinds: readonly string[]) => {
    const ledger = await openSqliteLedger(shop.ledgerPath);
    try {
      return await ledger.entries({ kinds });
    } finally {
      await ledger.close();
    }
  };
  const image = async () => {
    const path = `/apis/apps/v1/namespaces/${NAMESPACE}/deployments/${SERVICE}`;
    const answer = await fetch(new URL(path, shop.sandbox.endpoints.kubernetes));
    return Deployment.parse(await answer.json()).spec.template.spec.containers[0]?.image;
  };
  const submit = () => assistant.ask("submit_plan", { plan_id: plan }, Submitted);

  it("is offered tools, and is told which of them act", async () => {
    const { tools } = await assistant.client.listTools();
    const names = tools.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(["get_findings", "list_changes", "propose_plan", "submit_plan"]));
    const acting = tools.filter(({ annotations }) => annotations?.readOnlyHint !== true).map(({ name }) => name);
    expect(acting.toSorted()).toEqual(["propose_plan", "submit_plan"]);
  });

  it("reads findings about the live system", async () => {
    const findings = await assistant.ask("get_findings", {}, z.looseObject({ findings: z.array(z.unknown()) }));
    expect(findings.findings.length, assistant.stderr()).toBeGreaterThan(0);
  });

  it("is told that a plan against a healthy service needs a person, and nothing is written", async () => {
    const change = await eventually(
      async () => {
        const { changes } = await assistant.ask("list_changes", { service: SERVICE }, Changes);
        return changes.find(({ to }) => to.includes(NEXT_VERSION));
      },
      () => `the deploy of ${SERVICE} is not listed\n${assistant.stderr()}`,
    );
    const reason = "Customers say on the telephone that prices look odd since this deploy.";
    const proposed = await assistant.ask("propose_plan", { incident, change_ids: [change.id], reason }, Proposed);
    plan = proposed.plan_id;
    expect(proposed).toMatchObject({ verdict: "require_approval", next: expect.stringContaining("needs a person") });
    expect(proposed.targets.join()).toContain(`from ${NEXT_VERSION} back to ${CURRENT_VERSION}`);
    expect(await submit()).toMatchObject({ outcome: "held", next: expect.stringContaining("needs a person") });
    expect(shop.foreignWrites()).toEqual([]);
    expect(await recorded("plan.reserved", "target.attempted")).toEqual([]);
  });

  it.each<[string, readonly string[], Readonly<Record<string, string>>, string]>([
    ["its own environment", [], {}, ""],
    ["the token in every variable that it can think of", [], { UNSHIP_TOKEN: TOKEN, TOKEN, USER: "ada" }, ""],
    ["the token on a standard input that is no terminal", [], {}, `${TOKEN}\n`],
    ["a token that it made up", ["--token-file", "made-up.token"], {}, ""],
    ["a token file that others can read too", ["--token-file", "shared.token"], {}, ""],
  ])("cannot approve it with %s", async (_, options, variables, input) => {
    writeFileSync(join(shop.directory, "made-up.token"), "let me in\n", { mode: 0o600 });
    writeFileSync(join(shop.directory, "shared.token"), `${TOKEN}\n`);
    chmodSync(join(shop.directory, "shared.token"), 0o644);
    const args = ["approve", plan, "--config", shop.config, ...options];
    const ran = await shop.unship(args, { variables: { ...shop.variables, ...variables }, input });
    expect(ran, ran.err).toMatchObject({ code: 1 });
    expect(ran.err).toMatch(/^unship: .*approv.*(token|chmod 600)/is);
    expect(await recorded("approval.given")).toEqual([]);
    expect(await submit()).toMatchObject({ outcome: "held" });
    expect(shop.foreignWrites()).toEqual([]);
  });

  it("is not even shown the acting tools with --read-only", async () => {
    await using reading = new AsyncDisposableStack();
    const { client } = await connect(shop, reading, "--read-only");
    const names = (await client.listTools()).tools.map(({ name }) => name);
    expect(names).toContain("get_findings");
    expect(names).not.toContain("propose_plan");
    expect(names).not.toContain("submit_plan");
    const called = await client.callTool({ name: "submit_plan", arguments: { plan_id: plan } }).catch(() => "refused");
    expect(called === "refused" || (typeof called === "object" && called.isError === true)).toBe(true);
    expect(shop.foreignWrites()).toEqual([]);
  });

  it("carries out once what a person approved with a token of their own, and then only says so again", async () => {
    const args = ["approve", plan, "--config", shop.config, "--token-file", tokenFile, "--json"];
    const ran = await shop.unship(args);
    expect(ran, ran.err).toMatchObject({ code: 0 });
    expect(JSON.parse(ran.out)).toMatchObject({ plan, approved_by: "ada" });

    const done = await submit();
    expect(done, JSON.stringify(done)).toMatchObject({ outcome: "executed", results: [{ result: "done" }] });
    expect(shop.foreignWrites()).toMatchObject([{ api: "kubernetes", method: "PATCH" }]);
    expect(shop.foreignWrites()[0]?.path.split(/[/?]/)).toContain(SERVICE);
    expect(await image()).toContain(CURRENT_VERSION);
    await shop.sandbox.steady();

    const again = await submit();
    expect(again).toMatchObject({ outcome: "executed", executed_at: done.executed_at, results: done.results });
    expect(shop.foreignWrites()).toHaveLength(1);
    const audit = await shop.unship(["audit", "verify", "--config", shop.config]);
    expect(audit, audit.out + audit.err).toMatchObject({ code: 0 });
  });
});
