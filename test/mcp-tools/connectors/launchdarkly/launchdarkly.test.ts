import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import type { Target } from "../../../../core/model/plan.ts";
import { launchDarklyClient } from "../../../../mcp-tools/connectors/launchdarkly/client.ts";
import { connectLaunchDarkly } from "../../../../mcp-tools/connectors/launchdarkly/launchdarkly.ts";
import { flagOf } from "../../../core/guardrails/rule-inputs.ts";
import { fakeLaunchDarkly, LAUNCHDARKLY_TOKEN } from "../../../fakes/fake-launchdarkly.ts";

const never = new AbortController().signal;
const NOW = 1_767_268_800_000;
const ALL = { from: 0, to: Date.UTC(2100, 0) };
const KEY = "plan-1:0";

/** One flag, `new-cart`, that ada switched on in production (now version 2). */
async function started(more: { readonly timeoutMs?: number; readonly token?: string } = {}) {
  const fake = await fakeLaunchDarkly({ project: "shop", environments: ["test", "production"] });
  fake.create("new-cart");
  fake.change("new-cart", "production", { on: true }, "ada@example.com");
  const connect = () =>
    connectLaunchDarkly({
      endpoint: fake.url,
      token: more.token ?? LAUNCHDARKLY_TOKEN,
      project: "shop",
      environment: "production",
      services: [{ service: "checkout", flags: ["new-cart"] }],
      now: () => NOW,
      ...(more.timeoutMs === undefined ? {} : { timeoutMs: more.timeoutMs }),
    });
  return { fake, ...connect(), connect, [Symbol.asyncDispose]: () => fake[Symbol.asyncDispose]() };
}

function flagTarget(more: Partial<Target> = {}, version = "2"): Target {
  return flagOf({
    changeId: "flag:production/new-cart:entry-1",
    object: { kind: "Flag", namespace: "shop", name: "new-cart" },
    expected: { version, revision: "on" },
    restore: { version, revision: "off" },
    ...more,
  });
}

describe("LaunchDarkly", () => {
  it("lists flags of its environment with a version and the services that evaluate them; archived ones are left out", async () => {
    await using s = await started();
    s.fake.create("old", { archived: true });
    expect(await s.flags.flags(never)).toMatchObject([
      { key: "new-cart", environment: "production", enabled: true, version: "2", services: ["checkout"] },
    ]);
  });

  it("reads more flags than one page holds", async () => {
    await using s = await started();
    for (let at = 0; at < 120; at += 1) s.fake.create(`flag-${at}`);
    expect(await s.flags.flags(never)).toHaveLength(121);
  });

  it("gives up on a server that serves the same page for ever", async () => {
    const items = Array.from({ length: 100 }, (_, at) => ({ key: `flag-${at}`, environments: {} }));
    let asked = 0;
    const server = createServer((_, response) => {
      asked += 1;
      response.setHeader("content-type", "application/json").end(JSON.stringify({ items }));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const client = launchDarklyClient({
      endpoint: new URL(`http://127.0.0.1:${port}`),
      token: "t",
      project: "shop",
      environment: "production",
    });
    await expect(client.flags(never)).rejects.toMatchObject({
      code: "source.too_large",
      facts: { limit: "20,000 flags" },
    });
    expect(asked).toBe(200);
    await client.close();
    server.close();
  });

  it("tells from the audit log who switched what, and what else changed; another environment is no change here", async () => {
    await using s = await started();
    s.fake.change("new-cart", "production", { fallthrough: { variation: 1 } }, "bob@example.com");
    s.fake.change("new-cart", "test", { on: true }, "bob@example.com");
    s.fake.change("new-cart", "production", { on: false }, "bob@example.com");
    expect(await s.changes.changes(ALL, never)).toMatchObject([
      { kind: "flag", service: "checkout", from: "off", to: "on", author: "ada@example.com", reversible: true },
      { from: 'on, fallthrough {"variation":0}', to: 'on, fallthrough {"variation":1}', reversible: true },
      { from: "on", to: "off", author: "bob@example.com", reversible: false, environment: "production" },
    ]);
    expect(await s.changes.changes({ from: 0, to: 1 }, never)).toEqual([]);
  });

  it("reads more entries than one page holds, each once", async () => {
    await using s = await started();
    for (let at = 0; at < 45; at += 1) s.fake.change("new-cart", "production", { on: at % 2 === 1 }, "robot");
    const changes = await s.changes.changes(ALL, never);
    expect(new Set(changes.map(({ id }) => id)).size).toBe(46);
    expect(changes).toHaveLength(46);
  });

  it("refuses to pass half of a history for the whole", async () => {
    await using s = await started();
    for (let at = 0; at < 230; at += 1) s.fake.change("new-cart", "production", { on: at % 2 === 1 }, "robot");
    await expect(s.changes.changes(ALL, never)).rejects.toMatchObject({
      code: "source.too_large",
      facts: { limit: "200 changes of flags in one window" },
    });
  });

  it("switches off with the precondition in the write, keeps what stood before, and marks the switch", async () => {
    await using s = await started();
    const result = await s.disable.execute(flagTarget(), KEY, never);
    expect(result).toMatchObject({ result: "done", at: NOW });
    expect(result.detail).toContain('before: {"on":true,"version":2,"offVariation":1,"fallthrough":{"variation":0}');
    expect(s.fake.writes).toEqual([
      {
        path: "PATCH /api/v2/flags/shop/new-cart",
        body: {
          comment: "unship rollback plan-1:0",
          patch: [
            { op: "test", path: "/environments/production/version", value: 2 },
            { op: "test", path: "/environments/production/on", value: true },
            { op: "replace", path: "/environments/production/on", value: false },
          ],
        },
      },
    ]);
    expect((await s.changes.changes(ALL, never)).filter(({ ownRollback }) => ownRollback)).toMatchObject([
      { from: "on", to: "off", author: "unship" },
    ]);
    expect((await s.disable.execute(flagTarget(), KEY, never)).result).toBe("done");
    expect(s.fake.writes).toHaveLength(1);
  });

  it.each([
    ["is off already: nothing to do", [{ on: false }], "nothing-to-do"],
    ["was switched off and on again since: stale", [{ on: false }, { on: true }], "stale"],
    ["got other rules since: stale", [{ rules: [{}] }], "stale"],
  ] as const)("a flag that %s, and nothing is written", async (_, states, expected) => {
    await using s = await started();
    for (const state of states) s.fake.change("new-cart", "production", state, "bob@example.com");
    expect((await s.disable.execute(flagTarget(), KEY, never)).result).toBe(expected);
    expect(s.fake.writes).toEqual([]);
    expect((await s.disable.inspect(flagTarget(), never)).changedBy !== undefined).toBe(expected === "stale");
  });

  it.each([
    ["switched it off", [{ on: false }], "nothing-to-do"],
    ["changed its rules", [{ rules: [{}] }], "stale"],
  ] as const)("where bob %s between the check and the write, the write does nothing", async (_, states, expected) => {
    await using s = await started();
    s.fake.onPatch(() => {
      for (const state of states) s.fake.change("new-cart", "production", state, "bob@example.com");
      return "go on";
    });
    const result = await s.disable.execute(flagTarget(), KEY, never);
    expect([result.result, s.fake.writes.length]).toEqual([expected, 1]);
    const [flag] = await s.flags.flags(never);
    expect(flag?.version).toBe("3");
  });

  it.each([
    ["another environment than the connector's", { environment: "test" }, "refused"],
    ["another project", { object: { kind: "Flag", namespace: "other", name: "new-cart" } }, "refused"],
    ["a flag that does not exist", { object: { kind: "Flag", namespace: "shop", name: "none" } }, "stale"],
    ["a name that would lead elsewhere", { object: { kind: "Flag", namespace: "shop", name: ".." } }, "refused"],
  ] as const)("a plan with %s is answered, not executed", async (_, more, expected) => {
    await using s = await started();
    expect((await s.disable.execute(flagTarget(more), KEY, never)).result).toBe(expected);
    expect(s.fake.writes).toEqual([]);
  });

  it("refuses a plan without an environment, and an archived flag", async () => {
    await using s = await started();
    const { environment: _, ...bare } = flagTarget();
    expect((await s.disable.execute(bare, KEY, never)).result).toBe("refused");
    s.fake.create("old", { archived: true });
    s.fake.change("old", "production", { on: true }, "ada@example.com");
    const old = flagTarget({ object: { kind: "Flag", namespace: "shop", name: "old" } });
    expect((await s.disable.execute(old, KEY, never)).result).toBe("refused");
    expect((await s.disable.inspect(old, never)).obstacles).toEqual(["it is archived"]);
    expect(s.fake.writes).toEqual([]);
  });

  it("a dry run writes nothing, and says what users would get", async () => {
    await using s = await started();
    s.fake.create("bare", { offVariation: null });
    s.fake.change("bare", "production", { on: true }, "ada@example.com");
    const bare = flagTarget({ object: { kind: "Flag", namespace: "shop", name: "bare" } });
    const result = await s.disable.dryRun(bare, never);
    expect(result).toMatchObject({ result: "done", detail: expect.stringContaining("would be switched off") });
    expect(result.warnings.join("\n")).toContain("the default in the code");
    expect(s.fake.writes).toEqual([]);
  });

  it.each([
    ["no answer in time", () => {}, "unknown"],
    ["a cut connection", (response: ServerResponse) => response.destroy(), "unknown"],
    ["a 500", (response: ServerResponse) => response.writeHead(500).end(), "unknown"],
    ["an answer that is none", (response: ServerResponse) => response.writeHead(200).end("<html>"), "unknown"],
    ["a 429, the rate limit", (response: ServerResponse) => response.writeHead(429).end(), "unreachable"],
    ["a 403, as where it wants an approval", (response: ServerResponse) => response.writeHead(403).end(), "refused"],
    ["a 409 though nothing changed", (response: ServerResponse) => response.writeHead(409).end(), "failed"],
    ["a 400", (response: ServerResponse) => response.writeHead(400).end(), "failed"],
  ] as const)("%s to the switch is %3$s, and it is not sent again", async (_, answer, expected) => {
    await using s = await started({ timeoutMs: 150 });
    s.fake.onPatch((_turn, response) => {
      answer(response);
      return "answered";
    });
    expect((await s.disable.execute(flagTarget(), KEY, never)).result).toBe(expected);
    expect(s.fake.writes).toHaveLength(1);
  });

  it("reconciles from the real state and the mark: not done, done, done by somebody else, undone by somebody", async () => {
    await using s = await started();
    const reconcile = async (key = KEY) => (await s.connect().disable.reconcile(flagTarget(), key, never)).result;
    expect(await reconcile()).toBe("failed");
    await s.disable.execute(flagTarget(), KEY, never);
    expect(await reconcile()).toBe("done");
    expect(await reconcile("plan-2:0")).toBe("nothing-to-do");
    s.fake.change("new-cart", "production", { on: true }, "bob@example.com");
    expect(await reconcile()).toBe("failed");
    expect(await reconcile("plan-2:0")).toBe("stale");
    expect(s.fake.writes).toHaveLength(1);
  });

  it("S3: tells of the flags that are on and would serve their off variation with it, through others too", async () => {
    await using s = await started();
    const reaches = async () => (await s.disable.inspect(flagTarget(), never)).reaches;
    const on = (key: string, needs: readonly string[]) => {
      s.fake.create(key, { needs });
      s.fake.change(key, "production", { on: true }, "ada@example.com");
    };
    expect(await reaches()).toEqual([]);
    s.fake.create("off-anyway", { needs: ["new-cart"] });
    on("below-off", ["off-anyway"]);
    on("pay-v3", ["pay-v2"]);
    on("pay-v2", ["other", "new-cart"]);
    on("apart", ["other"]);
    expect(await reaches()).toEqual(["new-cart", "pay-v2", "pay-v3"]);
  });

  it("cannot be reached: unreachable before the write, unknown after it", async () => {
    const s = await started();
    await s.fake[Symbol.asyncDispose]();
    expect((await s.disable.execute(flagTarget(), KEY, never)).result).toBe("unreachable");
    expect((await s.disable.reconcile(flagTarget(), KEY, never)).result).toBe("unknown");
  });

  it("a wrong token is refused without telling it", async () => {
    await using s = await started({ token: "api-a-wrong-token" });
    await expect(s.flags.flags(never)).rejects.toMatchObject({ code: "source.refused", facts: { status: 401 } });
    const result = await s.disable.execute(flagTarget(), KEY, never);
    expect(result.result).toBe("failed");
    expect(JSON.stringify(result)).not.toContain("a-wrong-token");
  });
});
