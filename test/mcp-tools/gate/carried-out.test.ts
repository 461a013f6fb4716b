import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { deedTime } from "../../../core/model/deed.ts";
import type { GateAnswer, TargetResult } from "../../../core/model/plan.ts";
import type { Executor } from "../../../core/ports.ts";
import { NOW } from "../../core/guardrails/rule-inputs.ts";
import { openWorld } from "./gate-world.ts";

/** From the write to the start of the process that finds it done. */
const DOWN_MS = 67_000;

/** A plan whose target was written at `NOW`; its process died before it knew, and another one asked the target `DOWN_MS` later. */
async function foundDone(carriedOut?: TargetResult["carriedOut"]): Promise<GateAnswer> {
  await using world = await openWorld();
  const { plan } = await world.gate.propose(world.draft());
  const executor = world.targets.executor("kubectl_rollout_undo");
  const dying: Executor = {
    ...executor,
    execute: async (...call) => {
      await executor.execute(...call);
      return new Promise(() => {});
    },
  };
  const dead = world.newGate({ executors: [dying], owner: { id: "dead", gone: () => false } });
  void dead.submit(plan.id).catch(() => {});
  while (world.targets.writes().length === 0) await delay(5);
  world.time.now += DOWN_MS;
  const asked: Executor = {
    ...executor,
    reconcile: async (...call) => ({
      ...(await executor.reconcile(...call)),
      ...(carriedOut === undefined ? {} : { carriedOut }),
    }),
  };
  const alive = world.newGate({ executors: [asked], owner: { id: "alive", gone: (other) => other === "dead" } });
  const [answer] = await alive.recover();
  if (answer === undefined) throw new Error("nothing was taken up");
  return answer;
}

describe("S15: an act that is found done after its process died", () => {
  it("was done at its write, not when that was found out", async () => {
    const answer = await foundDone();
    expect(answer).toMatchObject({ outcome: "executed", executedAt: NOW });
    expect(deedTime({ gate: answer })).toEqual({ at: NOW, latest: NOW + DOWN_MS });
  });

  it.each<[string, NonNullable<TargetResult["carriedOut"]>, { readonly at: number; readonly latest: number }]>([
    ["says so", { from: NOW + 400, to: NOW + 900 }, { at: NOW + 400, latest: NOW + 900 }],
    ["keeps whole seconds", { from: NOW - 600, to: NOW + 399 }, { at: NOW, latest: NOW + 399 }],
    ["has a clock that is behind", { from: NOW - 9_000, to: NOW - 8_001 }, { at: NOW, latest: NOW + DOWN_MS }],
    [
      "has a clock that is ahead",
      { from: NOW + DOWN_MS + 5_000, to: NOW + DOWN_MS + 5_999 },
      { at: NOW, latest: NOW + DOWN_MS },
    ],
  ])("was done when its target's own record says, where that %s", async (_, told, expected) => {
    expect(deedTime({ gate: await foundDone(told) })).toEqual(expected);
  });
});
