import type { ServerResponse } from "node:http";
import { describe, expect, it } from "vitest";
import type { Target } from "../../../../core/model/plan.ts";
import { connectFlagsmith } from "../../../../mcp-tools/connectors/flagsmith/flagsmith.ts";
import { ENVIRONMENT_KEY, FLAGSMITH_TOKEN, fakeFlagsmith, PROJECT } from "../../../fakes/fake-flagsmith.ts";

const never = new AbortController().signal;
const NOW = 1_767_268_800_000;
const ALL = { from: 0, to: Date.UTC(2100, 0) };
const KEY = "plan-1:0";

/** One feature, `new-cart`, that ada switched on in production. */
async function started(more: { readonly timeoutMs?: number; readonly token?: string } = {}) {
  const fake = await fakeFlagsmith();
  fake.create("new-cart");
  fake.change("new-cart", { enabled: true }, "ada@example.com");
  const connect = () =>
    connectFlagsmith({
      endpoint: fake.url,
      token: more.token ?? FLAGSMITH_TOKEN,
      project: PROJECT,
      environment: "production",
      environmentKey: ENVIRONMENT_KEY,
      services: [{ service: "checkout", flags: ["new-cart"] }],
      now: () => NOW,
      ...(more.timeoutMs === undefined ? {} : { timeoutMs: more.timeoutMs }),
    });
  const version = fake.versionOf("new-cart");
  const target = (change: Partial<Target> = {}): Target => ({
    action: "feature_flag_disable",
    service: "checkout",
    changeId: "flag:production/new-cart:1",
    object: { kind: "Flag", namespace: String(PROJECT), name: "new-cart" },
    environment: "production",
    expected: { version, revision: "on" },
    restore: { version, revision: "off" },
    ...change,
  });
  return { fake, ...connect(), connect, target, [Symbol.asyncDispose]: () => fake[Symbol.asyncDispose]() };
}

describe("Flagsmith", () => {
  it("lists features of its environment with a version and the services that evaluate them, over several pages", async () => {
    await using s = await started();
    s.fake.create("old", { archived: true });
    for (let at = 0; at < 130; at += 1) s.fake.create(`flag-${at}`);
    const flags = await s.flags.flags(never);
    expect(flags).toHaveLength(131);
    expect(flags[0]).toMatchObject({
      key: "new-cart",
      enabled: true,
      environment: "production",
      services: ["checkout"],
    });
  });

  it("tells from the audit log who switched what and what else changed; another environment is no change here", async () => {
    await using s = await started();
    s.fake.change("new-cart", { feature_state_value: 7 }, "bob@example.com");
    s.fake.noteElsewhere("new-cart");
    s.fake.change("new-cart", { enabled: false }, "bob@example.com");
    s.fake.noteVaguely("new-cart");
    expect(await s.changes.changes(ALL, never)).toMatchObject([
      { service: "checkout", from: "off", to: "on", author: "ada@example.com", reversible: true },
      { from: "feature_state_value null", to: "feature_state_value 7", author: "bob@example.com", reversible: true },
      { from: "on", to: "off", author: "bob@example.com", reversible: false },
      { from: "not known", to: "not known", author: "eve@example.com", reversible: true },
    ]);
    expect(await s.changes.changes({ from: 0, to: 1 }, never)).toEqual([]);
  });

  it("refuses to pass half of a history for the whole", async () => {
    await using s = await started();
    for (let at = 0; at < 210; at += 1) s.fake.change("new-cart", { enabled: at % 2 === 1 }, "robot@example.com");
    await expect(s.changes.changes(ALL, never)).rejects.toThrow(/not read whole/);
  });

  it("switches off, keeps what stood before, and knows the switch for its own while the process lives", async () => {
    await using s = await started();
    const result = await s.disable.execute(s.target(), KEY, never);
    expect(result).toMatchObject({ result: "done", at: NOW });
    expect(result.detail).toContain('before: {"enabled":true,"feature_state_value":null');
    expect(s.fake.writes).toEqual([
      `PATCH /api/v1/environments/${ENVIRONMENT_KEY}/featurestates/1001/ {"enabled":false}`,
    ]);
    expect((await s.changes.changes(ALL, never)).map(({ to, ownRollback }) => [to, ownRollback])).toEqual([
      ["on", undefined],
      ["off", true],
    ]);
    expect((await s.disable.execute(s.target(), KEY, never)).result).toBe("done");
    expect((await s.disable.reconcile(s.target(), KEY, never)).result).toBe("done");
    expect(s.fake.writes).toHaveLength(1);
  });

  it("is done where the time of its switch cannot be read afterwards", async () => {
    await using s = await started();
    s.fake.hideStates();
    expect(await s.disable.execute(s.target(), KEY, never)).toMatchObject({ result: "done" });
    expect((await s.disable.reconcile(s.target(), KEY, never)).result).toBe("done");
  });

  it.each([
    ["is off already: nothing to do", [{ enabled: false }], "nothing-to-do"],
    ["was switched off and on again since: stale", [{ enabled: false }, { enabled: true }], "stale"],
    ["got another value since: stale", [{ feature_state_value: 5 }], "stale"],
  ] as const)("a feature that %s, and nothing is written", async (_, states, expected) => {
    await using s = await started();
    for (const state of states) s.fake.change("new-cart", state, "bob@example.com");
    expect((await s.disable.execute(s.target(), KEY, never)).result).toBe(expected);
    expect(s.fake.writes).toEqual([]);
    expect((await s.disable.inspect(s.target(), never)).changedBy !== undefined).toBe(expected === "stale");
  });

  it.each([
    ["another environment than the connector's", { environment: "test" }, "refused"],
    ["another project", { object: { kind: "Flag", namespace: "43", name: "new-cart" } }, "refused"],
    ["a feature that does not exist", { object: { kind: "Flag", namespace: "42", name: "none" } }, "stale"],
  ] as const)("a plan with %s is answered, not executed", async (_, more, expected) => {
    await using s = await started();
    expect((await s.disable.execute(s.target(more), KEY, never)).result).toBe(expected);
    expect(s.fake.writes).toEqual([]);
  });

  it("refuses a plan without an environment, and an archived feature; a dry run writes nothing", async () => {
    await using s = await started();
    const { environment: _, ...bare } = s.target();
    expect((await s.disable.execute(bare, KEY, never)).result).toBe("refused");
    s.fake.create("old", { archived: true });
    s.fake.change("old", { enabled: true }, "ada@example.com");
    const old = s.target({ object: { kind: "Flag", namespace: "42", name: "old" } });
    expect((await s.disable.execute(old, KEY, never)).result).toBe("refused");
    const dry = await s.disable.dryRun(s.target(), never);
    expect(dry).toMatchObject({ result: "done", detail: expect.stringContaining("would be switched off") });
    expect(dry.warnings.join()).toContain("a segment or an identity");
    expect(s.fake.writes).toEqual([]);
  });

  it("says what others did between the check and the switch", async () => {
    await using s = await started();
    s.fake.onPatch(() => {
      s.fake.change("new-cart", { feature_state_value: 9 }, "bob@example.com");
      return "go on";
    });
    const result = await s.disable.execute(s.target(), KEY, never);
    expect(result.result).toBe("done");
    expect(result.warnings.join("\n")).toContain("bob@example.com changed it at the same moment");
  });

  it.each([
    ["no answer in time", () => {}, "unknown"],
    ["a cut connection", (response: ServerResponse) => response.destroy(), "unknown"],
    ["a 500", (response: ServerResponse) => response.writeHead(500).end(), "unknown"],
    ["a 429, the rate limit", (response: ServerResponse) => response.writeHead(429).end(), "unreachable"],
    ["a 403, as with change requests", (response: ServerResponse) => response.writeHead(403).end(), "refused"],
    ["a 400, as with versions of features", (response: ServerResponse) => response.writeHead(400).end(), "failed"],
  ] as const)("%s to the switch is %3$s, and it is not sent again", async (_, answer, expected) => {
    await using s = await started({ timeoutMs: 150 });
    s.fake.onPatch((_turn, response) => {
      answer(response);
      return "answered";
    });
    expect((await s.disable.execute(s.target(), KEY, never)).result).toBe(expected);
    expect(s.fake.writes).toHaveLength(1);
  });

  it.each([
    ["still on", [], "failed"],
    ["off by a person", [[{ enabled: false }, "bob@example.com"]], "nothing-to-do"],
    ["off by a key, which may be ours or not", [[{ enabled: false }, null]], "unknown"],
    [
      "on again after a key switched it off, which may have been ours",
      [
        [{ enabled: false }, null],
        [{ enabled: true }, "bob@example.com"],
      ],
      "unknown",
    ],
    [
      "switched off by a key, on and off again by a person",
      [
        [{ enabled: false }, null],
        [{ enabled: true }, "bob@example.com"],
        [{ enabled: false }, "bob@example.com"],
      ],
      "unknown",
    ],
    [
      "off and on again by a person alone",
      [
        [{ enabled: false }, "bob@example.com"],
        [{ enabled: true }, "bob@example.com"],
      ],
      "stale",
    ],
  ] as const)("after a restart a feature that is %s is %3$s", async (_, acts, expected) => {
    await using s = await started();
    for (const [to, by] of acts) s.fake.change("new-cart", to, by);
    expect((await s.connect().disable.reconcile(s.target(), KEY, never)).result).toBe(expected);
    expect(s.fake.writes).toEqual([]);
  });

  it("cannot be reached: unreachable before the write, unknown after it", async () => {
    const s = await started();
    await s.fake[Symbol.asyncDispose]();
    expect((await s.disable.execute(s.target(), KEY, never)).result).toBe("unreachable");
    expect((await s.disable.reconcile(s.target(), KEY, never)).result).toBe("unknown");
  });

  it("a wrong key is refused without telling it", async () => {
    await using s = await started({ token: "a-wrong-organisation-key" });
    await expect(s.flags.flags(never)).rejects.toMatchObject({ code: "source.refused", facts: { status: 401 } });
    const result = await s.disable.execute(s.target(), KEY, never);
    expect(result.result).toBe("failed");
    expect(JSON.stringify(result)).not.toContain("a-wrong-organisation-key");
  });
});
