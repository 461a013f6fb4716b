import { describe, expect, it } from "vitest";
import type { Permit } from "../../../core/guardrails/gate-store.ts";
import { issuePermit, redeemPermit } from "../../../mcp-tools/gate/permit.ts";
import { MINUTE, planOf } from "../../core/guardrails/rule-inputs.ts";
import { openWorld, type World } from "./gate-world.ts";

const redeem = (world: World, permit: Pick<Permit, "id" | "planId" | "planHash">) =>
  world.store.transact((tx) => redeemPermit(tx, permit, planOf({ id: permit.planId }), "me"));

async function issued() {
  const world = await openWorld();
  const permit = await world.store.transact((tx) => issuePermit(tx, planOf(), "permit-1", MINUTE));
  return { world, permit };
}

describe("a permit", () => {
  it("is spent once, and that stands in the ledger", async () => {
    const { world, permit } = await issued();
    await using _ = world;
    expect(await redeem(world, permit)).toBe(true);
    expect(await redeem(world, permit)).toBe(false);
    expect(await world.store.entries({ kinds: ["permit.redeemed"] })).toHaveLength(1);
  });

  it("is spent once by many at the same time", async () => {
    const { world, permit } = await issued();
    await using _ = world;
    const spent = await Promise.all(Array.from({ length: 8 }, () => redeem(world, permit)));
    expect(spent.filter(Boolean)).toHaveLength(1);
  });

  it.each([
    ["forged", { id: "permit-2" }],
    ["copied to another plan", { planId: "plan-2" }],
    ["of a plan that was edited", { planHash: "another-hash" }],
  ])("%s is worth nothing, and leaves the real one whole", async (_, change) => {
    const { world, permit } = await issued();
    await using __ = world;
    expect(await redeem(world, { ...permit, ...change })).toBe(false);
    expect(await redeem(world, permit)).toBe(true);
  });

  it.each([
    ["a moment before its end", MINUTE - 1, true],
    ["at its end", MINUTE, false],
    ["after a clock that ran ahead and came back", 2 * MINUTE, false],
  ])("is judged by the ledger's time: %s", async (name, later, redeemed) => {
    const { world, permit } = await issued();
    await using _ = world;
    world.time.now += later;
    if (name.includes("came back")) {
      await world.store.append({ kind: "note", incidentId: null, planId: null, actor: "test", body: {} });
      world.time.now -= later;
    }
    expect(await redeem(world, permit)).toBe(redeemed);
  });

  it("is given to a plan once in its life", async () => {
    const { world } = await issued();
    await using _ = world;
    const second = world.store.transact((tx) => issuePermit(tx, planOf(), "permit-2", MINUTE));
    await expect(second).rejects.toMatchObject({ code: "ledger.unavailable" });
  });

  it("that expired before it could be spent ends the plan without an act", async () => {
    await using world = await openWorld();
    const { store } = world;
    let reserved = false;
    const slow = {
      ...store,
      transact: async <T>(work: Parameters<typeof store.transact<T>>[0]) => {
        const answer = await store.transact(work);
        if (!reserved && (await store.entries({ kinds: ["plan.reserved"] })).length > 0) {
          reserved = true;
          world.time.now += 5 * MINUTE;
        }
        return answer;
      },
    };
    const gate = world.newGate({ store: slow });
    const { plan } = await gate.propose(world.draft());
    const answer = await gate.submit(plan.id);
    expect(answer).toMatchObject({ outcome: "stopped", results: [{ result: "refused" }] });
    expect(world.targets.calls()).toEqual([]);
    expect(await store.transact((tx) => tx.intents({ open: true }))).toEqual([]);
  });
});
