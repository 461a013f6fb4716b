import { describe, expect, it } from "vitest";
import type { Target } from "../../../../core/model/plan.ts";
import { ALL, connect, flagTarget, NOW, never, OFF } from "./setting.ts";

export interface FlagServer extends AsyncDisposable {
  readonly url: URL | string;
  /** Every request that was not a GET: "POST /api/…". */
  writes(): readonly string[];
  /** Somebody else switches the flag in development. */
  toggle(on: boolean, by: string): void | Promise<void>;
}

/**
 * What unship does with Unleash, on any server that speaks its Admin API: `start` gives one with one flag, `new-checkout`,
 * that ada switched on in development. What the fakes imitate is what the real one does, since both pass this.
 */
export function describeUnleash(name: string, start: () => Promise<FlagServer>): void {
  describe(`Unleash, against ${name}`, () => {
    /** A started server with its connection; `version` is that of the flag as it stands. */
    async function started(actor: string | null = null) {
      const server = await start();
      const unleash = connect(server.url, { actor });
      const [flag] = await unleash.flags.flags(never);
      return { ...server, unleash, version: flag?.version ?? "" };
    }

    it("lists flags with a version that changes with each switch, and the services that evaluate them", async () => {
      await using s = await started();
      const before = await s.unleash.flags.flags(never);
      expect(before).toMatchObject([
        { key: "new-checkout", environment: "development", enabled: true, services: ["checkout"] },
      ]);
      await s.toggle(false, "bob");
      const after = await s.unleash.flags.flags(never);
      expect(after[0]?.enabled).toBe(false);
      expect(Number(after[0]?.version)).toBeGreaterThan(Number(before[0]?.version));
    });

    it("tells who switched what, from which state to which", async () => {
      await using s = await started();
      await s.toggle(false, "bob");
      const changes = (await s.unleash.changes.changes(ALL, never)).filter(({ to }) => to === "on" || to === "off");
      expect(changes).toMatchObject([
        {
          kind: "flag",
          service: "checkout",
          flag: "new-checkout",
          environment: "development",
          from: "off",
          to: "on",
          author: "ada",
          reversible: true,
        },
        {
          from: "on",
          to: "off",
          author: "bob",
          reversible: false,
          workload: { kind: "Flag", namespace: "default", name: "new-checkout" },
        },
      ]);
      expect(new Set(changes.map(({ id }) => id)).size).toBe(2);
      expect(await s.unleash.changes.changes({ from: 0, to: 1 }, never)).toEqual([]);
    });

    it("switches off, keeps what stood before, and knows the switch for its own", async () => {
      await using s = await started();
      const result = await s.unleash.disable.execute(flagTarget(s.version), "plan-1/0", never);
      expect(result).toMatchObject({ result: "done", at: NOW });
      expect(result.detail).toContain('before: {"enabled":true,"strategies":[{"name":"flexibleRollout"');
      expect(s.writes()).toEqual([OFF]);
      expect((await s.unleash.flags.flags(never))[0]?.enabled).toBe(false);
      const own = (await s.unleash.changes.changes(ALL, never)).filter(({ ownRollback }) => ownRollback);
      expect(own).toMatchObject([{ from: "on", to: "off", author: "unship" }]);
    });

    it("a second try of the same plan writes nothing and says that it is done", async () => {
      await using s = await started();
      await s.unleash.disable.execute(flagTarget(s.version), "plan-1/0", never);
      expect((await s.unleash.disable.execute(flagTarget(s.version), "plan-1/0", never)).result).toBe("done");
      expect(s.writes()).toEqual([OFF]);
    });

    it("is off already: nothing to do, and nothing written", async () => {
      await using s = await started();
      await s.toggle(false, "bob");
      const result = await s.unleash.disable.execute(flagTarget(s.version), "plan-1/0", never);
      expect(result).toMatchObject({ result: "nothing-to-do", detail: expect.stringContaining("by bob") });
      expect(s.writes()).toEqual([]);
    });

    it("was switched off and on again since: stale, and nothing written", async () => {
      await using s = await started();
      await s.toggle(false, "bob");
      await s.toggle(true, "bob");
      const target = flagTarget(s.version);
      expect((await s.unleash.disable.execute(target, "plan-1/0", never)).result).toBe("stale");
      expect((await s.unleash.disable.inspect(target, never)).changedBy).toContain("by bob");
      expect(s.writes()).toEqual([]);
    });

    it.each([
      ["another environment than the connector's", { environment: "production" }, "refused"],
      ["no environment", { environment: undefined }, "refused"],
      ["another project", { object: { kind: "Flag", namespace: "other", name: "new-checkout" } }, "refused"],
      ["a flag that does not exist", { object: { kind: "Flag", namespace: "default", name: "none" } }, "stale"],
    ] as const)("a plan with %s is answered, not executed", async (_row, more, result) => {
      await using s = await started();
      const { environment: _e, ...rest } = flagTarget(s.version);
      const { environment = "environment" in more ? undefined : "development", ...other } = more as Partial<Target>;
      const target: Target = { ...rest, ...other, ...(environment === undefined ? {} : { environment }) };
      expect((await s.unleash.disable.execute(target, "plan-1/0", never)).result).toBe(result);
      expect(s.writes()).toEqual([]);
    });

    it("a dry run writes nothing", async () => {
      await using s = await started();
      const result = await s.unleash.disable.dryRun(flagTarget(s.version), never);
      expect(result).toMatchObject({ result: "done", detail: expect.stringContaining("would be switched off") });
      expect(s.writes()).toEqual([]);
    });

    it("reconciles from the flag's real state: done, not done, or overtaken", async () => {
      await using s = await started("unship");
      const target = flagTarget(s.version);
      const reconcile = async () => (await s.unleash.disable.reconcile(target, "plan-1/0", never)).result;
      expect(await reconcile()).toBe("failed");
      await s.unleash.disable.execute(target, "plan-1/0", never);
      expect(await reconcile()).toBe("done");
      const restarted = connect(s.url, { actor: "unship" });
      expect((await restarted.disable.reconcile(target, "plan-1/0", never)).result).toBe("done");
      const own = (await restarted.changes.changes(ALL, never)).filter(({ ownRollback }) => ownRollback);
      expect(own).toHaveLength(1);
      // S13: somebody undid it, and the act counts all the same.
      await s.toggle(true, "bob");
      expect(await reconcile()).toBe("failed");
      const again = await restarted.disable.reconcile(target, "plan-1/0", never);
      expect(again.detail).toMatch(/this plan switched it off .*by unship.*somebody switched it on again .*by bob/);
    });
  });
}
