import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { countTokens } from "gpt-tokenizer/encoding/o200k_base";
import { expect, it } from "vitest";
import { build, NEXT_VERSION } from "../../evals/sandbox/shop.ts";
import { approverKey } from "../../mcp-tools/gate/approver-key.ts";
import { eventually, lineOf, MAIN, openShop, type Shop, warmUp } from "./shop.ts";

const LONG_MS = 300_000;
const TOKEN = "a-personal-token-of-ada-and-of-nobody-else";
const SERVICE = "checkout";
/** What the whole incident may take of an assistant's calls, and of its context. */
const MOST_CALLS = 6;
const MOST_TOKENS = 6_000;

interface Asked {
  readonly tool: string;
  readonly args: Record<string, unknown>;
}

async function assistantOf(shop: Shop, own: AsyncDisposableStack): Promise<Client> {
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [MAIN, "mcp", "-c", shop.config],
    env: { ...shop.variables, HOME: shop.directory },
    cwd: shop.directory,
    stderr: "ignore",
  });
  const client = new Client({ name: "an-assistant", version: "1.0.0" });
  await client.connect(transport);
  own.defer(() => client.close());
  return client;
}

/** The next call as an answer names it, in its structure or in its words; null: it names none. */
function nextIn(structured: Record<string, unknown>): Asked | null {
  const { next } = structured;
  if (typeof next === "object" && next !== null && "tool" in next && "arguments" in next)
    return { tool: String(next.tool), args: next.arguments as Record<string, unknown> };
  const [, tool, args] = /call (\w+) (\{[^}]*\})/.exec(String(next)) ?? [];
  return tool === undefined || args === undefined ? null : { tool, args: JSON.parse(args) as Record<string, unknown> };
}

/**
 * A model that knows no more than a script: it asks for the situation, then makes the call that each answer names, with the
 * arguments that it names, and passes on to a person what only a person can do.
 */
it(
  "an assistant that follows each answer's next call sees an incident through, in few calls and tokens",
  async () => {
    await using own = new AsyncDisposableStack();
    const shop = own.use(
      await openShop({
        edit(config) {
          config.setIn(["mode"], "approve");
          config.setIn(["approval", "token_file"], "same_user");
          config.setIn(["approvers"], [{ name: "ada", token_key: approverKey(TOKEN).text }]);
        },
      }),
    );
    const tokenFile = join(shop.directory, "ada.token");
    writeFileSync(tokenFile, `${TOKEN}\n`, { mode: 0o600 });
    const approve = async (plan: string) => {
      const ran = await shop.unship(["approve", plan, "-c", shop.config, "--token-file", tokenFile, "--json"]);
      expect(ran, ran.err).toMatchObject({ code: 0 });
    };
    const watch = await shop.watch();
    const assistant = await assistantOf(shop, own);
    await warmUp();
    shop.sandbox.push(build(SERVICE, NEXT_VERSION, [{ kind: "throws", share: 0.4, message: "cart is null" }]));
    await shop.sandbox.deploy(SERVICE, NEXT_VERSION, "ben");
    await lineOf(watch, shop.directory, ({ event }) => event === "incident.detected", "detection");

    const calls: (Asked & { readonly tokens: number; readonly text: string })[] = [];
    const approved = new Set<string>();
    let asked: Asked | null = { tool: "get_situation", args: {} };
    while (asked !== null && calls.length < 2 * MOST_CALLS) {
      const { tool, args }: Asked = asked;
      const result = await assistant.callTool({ name: tool, arguments: args }, undefined, { timeout: LONG_MS });
      const text = (result.content as { text?: string }[]).map((one) => one.text ?? "").join("\n");
      expect(result.isError, text).not.toBe(true);
      calls.push({ tool, args, tokens: countTokens(text), text });
      for (const [, plan] of text.matchAll(/unship approve (plan-[\w-]+)/g))
        if (plan !== undefined && !approved.has(plan)) {
          approved.add(plan);
          await approve(plan);
        }
      const structured = result.structuredContent as Record<string, unknown>;
      asked = structured.stage === "closed" ? null : (nextIn(structured) ?? asked);
    }
    const told = calls.map(
      ({ tool, args, tokens, text }) => `${tool} ${JSON.stringify(args)}, ${tokens} tokens\n${text}`,
    );
    console.info(calls.map(({ tool, args, tokens }) => `${tool} ${JSON.stringify(args)}: ${tokens} tokens`).join("\n"));
    expect(calls.at(-1)?.text, told.join("\n\n")).toMatch(/recovered/);
    expect(approved.size).toBe(1);
    expect(shop.foreignWrites()).toMatchObject([{ api: "kubernetes", method: "PATCH" }]);
    expect(calls.length, told.join("\n\n")).toBeLessThanOrEqual(MOST_CALLS);
    expect(
      calls.reduce((sum, { tokens }) => sum + tokens, 0),
      told.join("\n\n"),
    ).toBeLessThanOrEqual(MOST_TOKENS);
    await eventually(
      async () =>
        ((await assistant.callTool({ name: "get_situation", arguments: {} })).structuredContent as { open?: number })
          .open === 0 || undefined,
      () => "an incident is still open",
    );
  },
  LONG_MS,
);
