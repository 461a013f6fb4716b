import { describe, expect, it } from "vitest";
import { startFlagServer } from "../../../../evals/sandbox/flags/server.ts";
import { connectUnleash } from "../../../../mcp-tools/connectors/unleash/unleash.ts";
import { fakeUnleash, UNLEASH_TOKEN } from "../../../fakes/fake-unleash.ts";
import { describeUnleash } from "./any-server.ts";
import { ALL, connect, flagTarget, NOW, never, OFF, STRATEGY } from "./setting.ts";

/** One flag, `new-checkout`, that a person switched on in development, on one of two servers of two hands. */
const servers = {
  "a fake of the published API": async () => {
    const fake = await fakeUnleash({ project: "default", environments: ["development", "production"] });
    fake.create("new-checkout", [STRATEGY]);
    fake.toggle("new-checkout", "development", true, "ada");
    return {
      url: fake.url,
      writes: () => fake.writes,
      toggle: (on: boolean, by: string) => fake.toggle("new-checkout", "development", on, by),
      [Symbol.asyncDispose]: () => fake[Symbol.asyncDispose](),
    };
  },
  "the sandbox's flag server": async () => {
    const ada = { secret: "ada", kind: "admin", name: "ada" } as const;
    const unship = { secret: UNLEASH_TOKEN, kind: "admin", name: "unship" } as const;
    const server = await startFlagServer({ tokens: [ada, unship], environments: ["development", "production"] });
    server.store.create("default", { name: "new-checkout" }, ada);
    server.store.addStrategy("default", "new-checkout", "development", STRATEGY, ada);
    server.store.toggle("default", "new-checkout", "development", true, ada);
    return {
      url: server.url,
      writes: () => server.writes.map(({ method, path }) => `${method} ${path}`),
      toggle: (on: boolean, by: string) =>
        server.store.toggle("default", "new-checkout", "development", on, { secret: by, kind: "admin", name: by }),
      [Symbol.asyncDispose]: async () => void (await server.close()),
    };
  },
} as const;

for (const [name, start] of Object.entries(servers)) describeUnleash(name, start);

describe("Unleash, races and failures", () => {
  /** `identity`: whom the server says that unship's token is; null: it does not say. */
  async function faulty(identity: string | null = "unship") {
    const fake = await fakeUnleash({ project: "default", environments: ["development"], identity });
    fake.create("new-checkout", [STRATEGY], ["express-pay"]);
    fake.toggle("new-checkout", "development", true, "ada");
    return fake;
  }

  it.each([
    ["no answer in time", () => {}, "unknown"],
    ["a cut connection", (response: { destroy(): void }) => response.destroy(), "unknown"],
    ["a 500", (response: { writeHead(status: number): { end(): void } }) => response.writeHead(500).end(), "unknown"],
    [
      "a 429",
      (response: { writeHead(status: number): { end(): void } }) => response.writeHead(429).end(),
      "unreachable",
    ],
    [
      "a 403, as with change requests",
      (response: { writeHead(status: number): { end(): void } }) => response.writeHead(403).end(),
      "refused",
    ],
    ["a 400", (response: { writeHead(status: number): { end(): void } }) => response.writeHead(400).end(), "failed"],
  ] as const)("%s to the switch is %3$s", async (_, answer, expected) => {
    await using fake = await faulty();
    fake.onOff((_turn, response) => {
      answer(response as never);
      return "answered";
    });
    const result = await connect(fake.url, { timeoutMs: 150 }).disable.execute(flagTarget("1"), "plan-1/0", never);
    expect([result.result, fake.writes]).toEqual([expected, [OFF]]);
  });

  it("is nothing to do where someone else was quicker by a moment", async () => {
    await using fake = await faulty();
    fake.onOff(() => {
      fake.toggle("new-checkout", "development", false, "bob");
      return "go on";
    });
    const result = await connect(fake.url, { actor: "unship" }).disable.execute(flagTarget("1"), "plan-1/0", never);
    expect(result).toMatchObject({ result: "nothing-to-do", detail: expect.stringContaining("by someone else") });
  });

  it.each([
    ["a known name: bob's is not claimed", "unship", "unship", ["bob off"], "nothing-to-do"],
    ["a known name that Unleash does not confirm: bob's may be the own", "unship", null, ["bob off"], "unknown"],
    [
      "a known name: what bob did in between does not hide the own one",
      "unship",
      null,
      ["unship off", "bob on", "bob off"],
      "done",
    ],
    ["no name to go by: bob's may be the own", null, null, ["bob off"], "unknown"],
    ["no name to go by: bob's may be the own, though it is on again", null, null, ["bob off", "ada on"], "unknown"],
    ["no name but the token's: bob's is not claimed", null, "unship", ["bob off"], "nothing-to-do"],
    ["no name but the token's, which others may use: it may be the own", null, "unship", ["unship off"], "unknown"],
    ["no name to go by: still on is not done", null, null, [], "failed"],
    ["a name that is not the token's: its own switch is known all the same", "unshp", "unship", ["unship off"], "done"],
  ] as const)("reconciles after a restart with %s", async (_, actor, identity, acts, expected) => {
    await using fake = await faulty(identity);
    for (const act of acts) {
      const [by = "", to] = act.split(" ");
      fake.toggle("new-checkout", "development", to === "on", by);
    }
    const result = await connect(fake.url, { actor }).disable.reconcile(flagTarget("1"), "plan-1/0", never);
    expect(result.result).toBe(expected);
    expect(fake.writes).toEqual([]);
  });

  describe("S6: the file names the token wrongly", () => {
    it("its own switch is done all the same, and people are told to correct the name", async () => {
      await using fake = await faulty();
      const { disable } = connect(fake.url, { actor: "unshp" });
      const result = await disable.execute(flagTarget("1"), "plan-1/0", never);
      expect(result.result).toBe("done");
      expect(result.warnings.join("\n")).toContain(
        "Unleash writes unship for the token of unship, and the file says unshp: correct actor there.",
      );
    });

    it("where Unleash does not tell the token's name, nobody can say whose the switch is", async () => {
      await using fake = await faulty(null);
      const { disable } = connect(fake.url, { actor: "unshp" });
      const result = await disable.execute(flagTarget("1"), "plan-1/0", never);
      expect(result).toMatchObject({ result: "unknown", detail: expect.stringContaining("see actor in the file") });
      expect((await disable.reconcile(flagTarget("1"), "plan-1/0", never)).result).toBe("unknown");
    });

    it("an own write under the name confirms it where Unleash does not tell: then bob's is bob's", async () => {
      await using fake = await faulty(null);
      const { disable } = connect(fake.url, { actor: "unship" });
      expect((await disable.execute(flagTarget("1"), "plan-1/0", never)).result).toBe("done");
      fake.toggle("new-checkout", "development", true, "ada");
      fake.onOff(() => {
        fake.toggle("new-checkout", "development", false, "bob");
        return "go on";
      });
      const result = await disable.execute(flagTarget("3"), "plan-2/0", never);
      expect(result).toMatchObject({ result: "nothing-to-do", detail: expect.stringContaining("by someone else") });
    });
  });

  it("is not nothing to do where the event log does not hold the switch yet", async () => {
    await using fake = await faulty();
    fake.onOff((_turn, response) => {
      fake.toggle("new-checkout", "development", false, "unship");
      fake.events.pop();
      response.writeHead(200).end();
      return "answered";
    });
    const result = await connect(fake.url, { actor: "unship" }).disable.execute(flagTarget("1"), "plan-1/0", never);
    expect(result).toMatchObject({ result: "unknown", detail: expect.stringContaining("does not say (yet) by whom") });
  });

  it("S3: tells of the flags that depend on it", async () => {
    await using fake = await faulty();
    const { disable } = connect(fake.url);
    expect((await disable.inspect(flagTarget("1"), never)).reaches).toEqual(["new-checkout", "express-pay"]);
    fake.create("new-checkout");
    fake.toggle("new-checkout", "development", true, "ada");
    expect((await disable.inspect(flagTarget("2"), never)).reaches).toEqual([]);
  });

  it("claims neither of two switches off at one moment where it cannot tell them apart", async () => {
    await using fake = await faulty(null);
    fake.onOff(() => {
      fake.toggle("new-checkout", "development", false, "bob");
      fake.toggle("new-checkout", "development", true, "bob");
      return "go on";
    });
    const named = connect(fake.url).disable;
    expect((await named.execute(flagTarget("1"), "plan-1/0", never)).result).toBe("unknown");
  });

  it("an answer after which the flag is still on is a failure, not success", async () => {
    await using fake = await faulty();
    fake.onOff((_turn, response) => {
      response.writeHead(200).end();
      return "answered";
    });
    const result = await connect(fake.url).disable.execute(flagTarget("1"), "plan-1/0", never);
    expect(result).toMatchObject({ result: "failed", detail: expect.stringContaining("on again") });
  });

  it("says what others did at the same moment", async () => {
    await using fake = await faulty();
    fake.onOff(() => {
      fake.note("feature-strategy-update", "new-checkout", "development", "bob", null, null);
      return "go on";
    });
    const result = await connect(fake.url).disable.execute(flagTarget("1"), "plan-1/0", never);
    expect(result.result).toBe("done");
    expect(result.warnings.join("\n")).toContain("bob did feature-strategy-update at the same moment");
    expect(result.warnings.join("\n")).toContain("Flags that depend on it go off with it: express-pay");
  });

  it("stays unknown while Unleash cannot be reached", async () => {
    const fake = await faulty();
    await fake[Symbol.asyncDispose]();
    expect((await connect(fake.url).disable.execute(flagTarget("1"), "k", never)).result).toBe("unreachable");
    expect((await connect(fake.url).disable.reconcile(flagTarget("1"), "k", never)).result).toBe("unknown");
  });

  it("puts rules and variants into words, and a gradual rollout into a share of traffic", async () => {
    await using fake = await faulty();
    const strategy = (rollout: string) => ({ ...STRATEGY, parameters: { rollout } });
    fake.note("feature-strategy-update", "new-checkout", "development", "ada", strategy("25"), strategy("5"));
    fake.note("feature-strategy-remove", "new-checkout", "development", "ada", null, strategy("25"));
    const variants = (...names: string[]) => ({
      variants: names.map((name) => ({ name, weight: 1000 / names.length })),
    });
    fake.note("feature-environment-variants-updated", "other", "development", "ada", variants("a", "b"), variants());
    const changes = await connect(fake.url).changes.changes(ALL, never);
    expect(changes.map(({ service, from, to, canary }) => [service, from, to, canary])).toEqual([
      ["checkout", "off", "on", undefined],
      ["checkout", "flexibleRollout 5%", "flexibleRollout 25%", 0.25],
      ["checkout", "flexibleRollout 25%", "no strategy", undefined],
      ["other", "no variants", "a 500, b 500", undefined],
    ]);
  });

  it("knows the version of a flag whose last event is more than a page of the log ago, and forgets none after", async () => {
    await using fake = await faulty();
    fake.create("busy");
    for (let turn = 0; turn < 1001; turn++) fake.toggle("busy", "development", turn % 2 === 0, "robot");
    const { flags } = connect(fake.url);
    const version = async () => (await flags.flags(never)).find(({ key }) => key === "new-checkout")?.version;
    expect(await version()).toBe("1");
    fake.toggle("new-checkout", "development", false, "ada");
    const switched = await version();
    for (let turn = 0; turn < 1001; turn++) fake.toggle("busy", "development", turn % 2 === 1, "robot");
    expect(await version()).toBe(switched);
    expect(switched).toBe(
      String(
        fake.events.find(({ type, featureName }) => featureName === "new-checkout" && type.endsWith("disabled"))?.id,
      ),
    );
  });

  it("a wrong token is refused without telling it", async () => {
    await using fake = await faulty();
    const unleash = connectUnleash({
      endpoint: fake.url,
      token: "*:*.a-wrong-token",
      project: "default",
      environment: "development",
      services: [],
      actor: null,
      now: () => NOW,
    });
    await expect(unleash.flags.flags(never)).rejects.toMatchObject({ code: "source.refused", facts: { status: 401 } });
    const result = await unleash.disable.execute(flagTarget("1"), "k", never);
    expect(result.result).toBe("failed");
    expect(JSON.stringify(result)).not.toContain("a-wrong-token");
  });
});
