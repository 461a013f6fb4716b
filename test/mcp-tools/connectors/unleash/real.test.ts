import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openDesk } from "../../../agent/cli/run-cli.ts";
import { UNLEASH_TOKEN } from "../../../fakes/fake-unleash.ts";
import { startWire, type Wire } from "../../../fakes/wire.ts";
import { hasUnleash, startUnleash, type UnleashServer } from "../../../real/unleash.ts";
import { flagTarget as flagPlanned, openActing, propose } from "../../gate/kills/acting.ts";
import { live } from "../../gate/kills/victim.ts";
import { describeUnleash } from "./any-server.ts";
import { ALL, connect, flagTarget, never, OFF, STRATEGY } from "./setting.ts";

/** Two servers start and Unleash makes its tables: far longer than it takes, since a busy machine must not fail it. */
const START_MS = 180_000;
const FEATURES = "/api/admin/projects/default/features";
const HERE = `${FEATURES}/new-checkout/environments/development`;

describe.skipIf(!hasUnleash())("the real Unleash", () => {
  let server: UnleashServer;
  beforeAll(async () => {
    server = await startUnleash(["ada", "bob", "unship"], { unship: UNLEASH_TOKEN });
  }, START_MS);
  afterAll(() => server[Symbol.asyncDispose]());

  const toggle = async (on: boolean, by: string) =>
    void (await server.call(by, "POST", `${HERE}/${on ? "on" : "off"}`));

  /** As the suite wants it: one flag, which ada switched on, and nothing else in the log. */
  async function withFlag() {
    await server.clear();
    await server.call("ada", "POST", FEATURES, { name: "new-checkout", type: "release" });
    await server.call("ada", "POST", `${HERE}/strategies`, STRATEGY);
    await toggle(true, "ada");
    const wire = await startWire(server.url);
    return {
      url: wire.url,
      wire,
      writes: () => wire.writes,
      toggle,
      [Symbol.asyncDispose]: () => wire[Symbol.asyncDispose](),
    };
  }
  describeUnleash("the real server", withFlag);

  /** Does this once, as our switch is about to reach the server or its answer is on the way back. */
  function atSwitch(wire: Wire, moment: "before" | "after", act: () => Promise<"pass" | "cut">): void {
    const pass = () => "pass" as const;
    const once = async ({ method }: { readonly method: string }) => {
      if (method !== "POST") return "pass";
      wire.watch(null);
      return act();
    };
    wire.watch({ before: pass, after: pass, [moment]: once });
  }

  async function plan() {
    const setting = await withFlag();
    const unleash = connect(setting.url, { actor: "unship" });
    const target = flagTarget((await unleash.flags.flags(never))[0]?.version ?? "");
    return { ...setting, unleash, target };
  }

  it.each([
    ["before", "failed", true],
    ["after", "done", false],
  ] as const)("a connection that is cut %s the server has the switch is reconciled as %s", async (moment, then, on) => {
    await using s = await plan();
    atSwitch(s.wire, moment, async () => "cut");
    expect((await s.unleash.disable.execute(s.target, "plan-1/0", never)).result).toBe("unknown");
    const restarted = connect(s.url, { actor: "unship" });
    expect((await restarted.disable.reconcile(s.target, "plan-1/0", never)).result).toBe(then);
    expect((await restarted.flags.flags(never))[0]?.enabled).toBe(on);
    expect(s.writes()).toEqual([OFF]);
  });

  it("is nothing to do where someone else was quicker by a moment: Unleash logs no switch that changes nothing", async () => {
    await using s = await plan();
    atSwitch(s.wire, "before", async () => {
      await toggle(false, "bob");
      return "pass";
    });
    const result = await s.unleash.disable.execute(s.target, "plan-1/0", never);
    expect(result).toMatchObject({ result: "nothing-to-do", detail: expect.stringContaining("by someone else") });
    expect((await s.unleash.changes.changes(ALL, never)).some(({ ownRollback }) => ownRollback)).toBe(false);
  });

  it("an answer after which somebody has it on again is a failure, not success", async () => {
    await using s = await plan();
    atSwitch(s.wire, "after", async () => {
      await toggle(true, "bob");
      return "pass";
    });
    const result = await s.unleash.disable.execute(s.target, "plan-1/0", never);
    expect(result).toMatchObject({ result: "failed", detail: expect.stringContaining("on again") });
  });

  it("puts rules into words as the real log tells them, and a gradual rollout into a share of traffic", async () => {
    await using s = await plan();
    const { id } = (await server.call("ada", "POST", `${HERE}/strategies`, {
      ...STRATEGY,
      parameters: { ...STRATEGY.parameters, rollout: "5" },
    })) as { readonly id: string };
    const wider = { ...STRATEGY, parameters: { ...STRATEGY.parameters, rollout: "25" } };
    await server.call("ada", "PUT", `${HERE}/strategies/${id}`, wider);
    await server.call("bob", "DELETE", `${HERE}/strategies/${id}`);
    const changes = await s.unleash.changes.changes(ALL, never);
    expect(changes.map(({ from, to, canary, author }) => [from, to, canary, author])).toEqual([
      ["no strategy", "flexibleRollout 100%", undefined, "ada"],
      ["off", "on", undefined, "ada"],
      ["no strategy", "flexibleRollout 5%", 0.05, "ada"],
      ["flexibleRollout 5%", "flexibleRollout 25%", 0.25, "ada"],
      ["flexibleRollout 25%", "no strategy", undefined, "bob"],
    ]);
  });

  it("a flag that was archived since is stale, and nothing is written", async () => {
    await using s = await plan();
    await server.call("bob", "DELETE", `${FEATURES}/new-checkout`);
    const result = await s.unleash.disable.execute(s.target, "plan-1/0", never);
    expect([result.result, s.writes()]).toEqual(["stale", []]);
  });

  it("programs that evaluate the flag get it off", async () => {
    await using s = await plan();
    expect(await server.evaluated()).toEqual(["new-checkout"]);
    expect((await s.unleash.disable.execute(s.target, "plan-1/0", never)).result).toBe("done");
    expect(await server.evaluated()).toEqual([]);
  });

  /** Lets a process of its own carry out a plan that takes the flag off, kills it, and starts another. */
  it.each([
    ["the switch is lost with it", { place: "write lost", nth: 1 }, "being rolled back; the outcome is not known"],
    [
      "the switch arrives without it",
      { place: "write arrives", nth: 1 },
      "being rolled back; the outcome is not known",
    ],
    ["the answer finds nobody", { place: "write answered", nth: 1 }, "being rolled back; the outcome is not known"],
  ] as const)("S5: a process is killed as %s, and the flag is off once in the end", async (_, moment, says) => {
    await using s = await plan();
    const folder = mkdtempSync(join(tmpdir(), "unship-flag-"));
    using desk = openDesk({ ledger: join(folder, "ledger.db") });
    const fresh = [flagPlanned(s.target.expected.version)];
    const common = {
      ledger: { file: join(folder, "ledger.db") },
      targets: { unleash: s.wire.url.href, token: UNLEASH_TOKEN },
      fresh,
      planId: "",
      aheadMs: 0,
    } as const;
    await using acting = await openActing({ ...common, again: false, stepped: false });
    const { id: planId } = await propose(acting, fresh);
    expect(await live({ ...common, planId, again: false }, s.wire, moment)).toMatchObject({ killed: true });
    expect((await desk.run(["status"])).out).toContain(`1. Flag default/new-checkout: ${says}`);
    await live({ ...common, planId, again: true }, s.wire, null);
    expect((await desk.run(["status"])).out).toContain("1. Flag default/new-checkout: rolled back, it is off");
    expect(await server.evaluated()).toEqual([]);
    const own = (await s.unleash.changes.changes(ALL, never)).filter(({ ownRollback }) => ownRollback);
    expect(own.map(({ from, to, author }) => [from, to, author])).toEqual([["on", "off", "unship"]]);
    rmSync(folder, { recursive: true, force: true });
  });
});
