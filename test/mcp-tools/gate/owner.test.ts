import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { processOwner } from "../../../mcp-tools/gate/owner.ts";
import { assessmentOf, MINUTE, targetOf } from "../../core/guardrails/rule-inputs.ts";
import { openWorld } from "./gate-world.ts";

const withPid = (id: string, pid: number, started?: string): string =>
  id
    .split("|")
    .map((part, index) => (index === 2 ? String(pid) : index === 3 && started !== undefined ? started : part))
    .join("|");

describe("owner of an intent", () => {
  const owner = processOwner();

  it("lives while its process runs, other gates of this process included", () => {
    expect(owner.gone(owner.id)).toBe(false);
    expect(owner.gone(processOwner().id)).toBe(false);
    expect(processOwner().id).not.toBe(owner.id);
  });

  it("is gone when its process ended", async () => {
    const child = spawn(process.execPath, ["-e", "0"]);
    await once(child, "exit");
    expect(owner.gone(withPid(owner.id, child.pid ?? 0))).toBe(true);
  });

  it("is gone where its pid belongs to a process that started later", () => {
    expect(owner.gone(withPid(owner.id, process.pid, "1"))).toBe(true);
  });

  it.each([
    ["on another host", (id: string) => `elsewhere${id}`],
    ["in another pid namespace", (id: string) => id.replace("pid:[", "pid:[9")],
    ["of another spelling", () => "somebody"],
  ])("%s cannot be seen from here, so it may live", (_, change) => {
    expect(owner.gone(change(owner.id))).toBe(false);
  });

  it("that cannot be seen loses its plan when its lease is over, not before", async () => {
    await using world = await openWorld();
    const executor = world.targets.executor("kubectl_rollout_undo");
    const dark = { ...executor, reconcile: () => Promise.reject(new Error("connection refused")) };
    world.targets.mark(world.draft().targets[0] ?? expect.unreachable(), { behaviour: "late" });
    const far = { id: "host-b|ns|1|1|x", gone: () => false };
    const { plan } = await world.gate.propose(world.draft());
    const answer = await world.newGate({ executors: [dark], owner: far }).submit(plan.id);
    expect(answer).toMatchObject({ outcome: "stopped", results: [{ result: "unknown" }] });
    const here = world.newGate({ owner: { id: "host-a|ns|1|1|y", gone: () => false } });
    expect(await here.recover()).toEqual([]);
    world.time.now += 3 * MINUTE;
    expect(await here.recover()).toMatchObject([{ planId: plan.id, outcome: "executed" }]);
    expect(world.targets.writes()).toHaveLength(1);
  });

  it("that lost its plan to another process writes nothing more, and does not overwrite the result", async () => {
    await using world = await openWorld();
    const executor = world.targets.executor("kubectl_rollout_undo");
    const other = world.newGate({ owner: { id: "other", gone: () => true } });
    const gate = world.newGate({
      owner: { id: "slow", gone: () => false },
      executors: [
        {
          ...executor,
          execute: async (target, key, abort) => {
            await executor.execute(target, key, abort);
            expect(await other.recover()).toMatchObject([{ outcome: "executed" }]);
            return { target, result: "failed", detail: "a late, wrong belief", at: 0, warnings: [] };
          },
        },
      ],
    });
    const { plan } = await gate.propose(world.draft());
    expect(await gate.submit(plan.id)).toMatchObject({ outcome: "executed", results: [{ result: "done" }] });
    expect(await world.store.entries({ kinds: ["target.finished"] })).toHaveLength(1);
  });

  it("that lost its plan between two targets does not start the second", async () => {
    await using world = await openWorld();
    const targets = [targetOf({ name: "web" }), targetOf({ name: "checkout" })];
    for (const target of targets) world.targets.place(target);
    world.assessment = assessmentOf({ targets });
    const executor = world.targets.executor("kubectl_rollout_undo");
    const slowEnded = Promise.withResolvers<void>();
    const otherStarted = Promise.withResolvers<void>();
    const other = world.newGate({
      owner: { id: "other", gone: () => true },
      executors: [
        {
          ...executor,
          execute: async (target, key, abort) => {
            otherStarted.resolve();
            await slowEnded.promise;
            return executor.execute(target, key, abort);
          },
        },
      ],
      limits: { executeTimeoutMs: 10_000 },
    });
    let recovered: ReturnType<typeof other.recover> | undefined;
    const { store } = world;
    const interrupted: typeof store = {
      ...store,
      async transact(work) {
        const answer = await store.transact(work);
        if (recovered === undefined && (await store.entries({ kinds: ["target.finished"] })).length === 1) {
          recovered = other.recover();
          await otherStarted.promise;
        }
        return answer;
      },
    };
    const slow = world.newGate({ owner: { id: "slow", gone: () => false }, store: interrupted });
    const { plan } = await slow.propose(world.draft({ targets }));
    const answer = await slow.submit(plan.id);
    expect(answer).toMatchObject({ outcome: "in-progress", review: { rules: [{ rule: "in-progress" }] } });
    slowEnded.resolve();
    expect(await recovered).toMatchObject([{ outcome: "executed", results: [{ result: "done" }, { result: "done" }] }]);
    expect(world.targets.calls()).toEqual([`${plan.id}:0`, `${plan.id}:1`]);
  });
});
