import { describe, expect, it } from "vitest";
import type { Executor } from "../../../core/ports.ts";
import { openWorld, type World } from "./gate-world.ts";

const HALF = "not done; a setting of it is off, switched by this plan";

/** Answers nothing, and has begun the act: its target stands as before, but for a setting. */
const begun = (executor: Executor): Executor => ({
  ...executor,
  execute: async () => {
    throw new Error("cut off");
  },
  reconcile: async (target) => ({ target, result: "failed", detail: HALF, at: 0, warnings: [] }),
});

const later = (world: World, executors: readonly Executor[]) =>
  world.newGate({ owner: { id: "later", gone: () => true }, executors });

/** A plan whose process died after the try of its only target had begun. */
async function died() {
  const world = await openWorld();
  const { plan } = await world.gate.propose(world.draft());
  const lost = world.newGate({
    owner: { id: "first", gone: () => false },
    executors: [{ ...begun(world.targets.executor("kubectl_rollout_undo")), reconcile: () => new Promise(() => {}) }],
    limits: { inspectTimeoutMs: 20 },
  });
  expect(await lost.submit(plan.id)).toMatchObject({ outcome: "stopped", results: [{ result: "unknown" }] });
  return { world, plan, [Symbol.asyncDispose]: () => world[Symbol.asyncDispose]() };
}

describe("S5: an act that was begun and not done", () => {
  it("is said to be begun where it was tried as often as it may be", async () => {
    await using world = await openWorld();
    const { plan } = await world.gate.propose(world.draft());
    const gate = world.newGate({ executors: [begun(world.targets.executor("kubectl_rollout_undo"))] });
    const answer = await gate.submit(plan.id);
    expect(answer.results).toMatchObject([{ result: "failed", detail: expect.stringContaining(HALF) }]);
    expect(world.notices.at(-1)?.lines.join()).toContain(HALF);
  });

  it("is said to be begun where nobody goes on with it after a crash", async () => {
    await using s = await died();
    await s.world.gate.pause("*", "cli:zoe");
    const gate = later(s.world, [begun(s.world.targets.executor("kubectl_rollout_undo"))]);
    const [answer] = await gate.recover();
    expect(answer).toMatchObject({ outcome: "stopped", results: [{ result: "refused" }] });
    expect(answer?.results[0]?.detail).toMatch(/not tried again: .*paused.*a setting of it is off/);
  });

  it("is not called undone by a process that cannot ask its target: it stays open until one can", async () => {
    await using s = await died();
    const [answer] = await later(s.world, []).recover();
    expect(answer?.results).toMatchObject([
      { result: "unknown", detail: expect.stringContaining("nothing here can ask the target") },
    ]);
    const open = await s.world.store.transact((tx) => tx.intents({ planId: s.plan.id, open: true }));
    expect(open).toHaveLength(1);
    const able = s.world.newGate({ owner: { id: "able", gone: () => true } });
    expect(await able.recover()).toMatchObject([{ outcome: "executed", results: [{ result: "done" }] }]);
  });
});
