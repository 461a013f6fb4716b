import { describe, expect, it } from "vitest";
import { isActTold, noticeRecord } from "../../../core/guardrails/act-notice.ts";
import type { Owner } from "../../../mcp-tools/gate/owner.ts";
import { policyOf, targetOf } from "../../core/guardrails/rule-inputs.ts";
import { ALICE_TOKEN, openWorld, type World } from "./gate-world.ts";

const MINUTE = 60_000;
const NOTICES = ["notice.due", "notice.begun", "notice.sent", "notice.undelivered"];
/** What one of the chats has got. */
const titles = ({ notices }: World) => notices.flatMap(({ to, title }) => (to === "slack:#incidents" ? [title] : []));
const records = async ({ store }: World) => (await store.entries({ kinds: NOTICES })).map(noticeRecord);

async function act(world: World, name: string, proposedBy = "watch"): Promise<string> {
  const target = targetOf({ name });
  world.targets.place(target);
  const { plan } = await world.gate.propose(world.draft({ targets: [target], proposedBy }));
  await world.gate.submit(plan.id);
  await world.gate.approve(plan.id, ALICE_TOKEN);
  expect(await world.gate.submit(plan.id)).toMatchObject({ outcome: "executed" });
  return plan.id;
}
const executed = (all: readonly string[]) => all.filter((title) => title.includes(" executed, "));

describe("what the gate executed is notified", () => {
  it("once, whoever asks again, and not at all where the file names nobody", async () => {
    for (const notification of [["slack:#incidents", "pagerduty:oncall"], []]) {
      const policies = policyOf().policies.map((one) => ({ ...one, notification }));
      await using world = await openWorld({
        config: { ...policyOf({ mode: "approve" }), policies },
        parts: { notifiesActs: true },
      });
      const plan = await act(world, "checkout");
      await world.gate.submit(plan);
      await world.gate.recover();
      await world.newGate().recover();
      const told = world.notices.filter(({ title }) => title.includes(" executed, "));
      // No pager is alerted of an act that is done.
      expect(told.map(({ to, title }) => [to, title])).toEqual(
        notification.length === 0 ? [] : [["slack:#incidents", "Rollback of checkout executed, approved by alice"]],
      );
      const said = (await records(world)).filter(({ about }) => about === "acted").map(({ kind }) => kind);
      expect(said).toEqual(notification.length === 0 ? [] : ["notice.due", "notice.begun", "notice.sent"]);
    }
  });

  it.each([
    ["lives, and is at it: it is left to that one", false, 1, 0],
    ["is gone: it is sent at once", true, 1, 1],
    ["cannot be seen from here, after its time", false, 4, 1],
  ] as const)("by the next process where the one that executed it %s", async (_, gone, minutes, times) => {
    const dying: Owner = { id: "first", gone: () => gone };
    let isDead = false;
    await using world = await openWorld({
      config: policyOf({ mode: "approve" }),
      parts: { notifiesActs: true, owner: dying },
    });
    const { store } = world;
    // The process is stopped once the answer is recorded: nothing that it writes after that arrives.
    const gate = world.newGate({
      owner: dying,
      store: {
        ...store,
        transact: async (work) => {
          if (isDead) throw new Error("killed");
          const done = await store.transact(work);
          isDead = (await store.entries({ kinds: ["plan.answered"] })).length > 0;
          return done;
        },
      },
    });
    const { plan } = await gate.propose(world.draft());
    await gate.submit(plan.id);
    await gate.approve(plan.id, ALICE_TOKEN);
    await gate.submit(plan.id);
    expect(isDead).toBe(true);
    expect(executed(titles(world))).toEqual([]);
    world.time.now += minutes * MINUTE;
    const next = world.newGate({ owner: { id: "second", gone: () => gone } });
    await next.recover();
    await next.recover();
    expect(executed(titles(world))).toHaveLength(times);
  });

  it("in one digest an hour beyond so many of one proposer, whose ends are not notified either; the watch's own always", async () => {
    const policy = policyOf({ mode: "approve" });
    const guardrails = { ...policy.guardrails, maxAutoRollbacksPerDay: 100, cooldownMs: 0 };
    const config = { ...policy, guardrails };
    await using world = await openWorld({
      config,
      parts: { notifiesActs: true, limits: { announcedPerHour: 2, reconcileDelaysMs: [0] } },
    });
    const bots: string[] = [];
    for (const name of ["a", "b", "c", "d"]) bots.push(await act(world, name, `mcp:http(bot):client-${name}`));
    await act(world, "e", "watch");
    expect(executed(titles(world))).toHaveLength(3);
    expect(titles(world).filter((title) => title === "Many plans of mcp:http(bot) are executed")).toHaveLength(1);
    const all = await records(world);
    expect(bots.map((plan) => isActTold(all, plan))).toEqual([true, true, false, false]);
    await world.gate.recover();
    await world.newGate().recover();
    expect(executed(titles(world))).toHaveLength(3);
  });
});
