import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { recordOf } from "../../../core/guardrails/graduation.ts";
import { MINUTE, targetOf } from "../../core/guardrails/rule-inputs.ts";
import { ALICE_TOKEN } from "../../mcp-tools/gate/gate-world.ts";
import { blameless } from "./trouble.ts";
import { openWatchWorld, STEP_MS } from "./watch-world.ts";

describe("what the gate's record says of an incident", () => {
  it("a plan that somebody else had executed is verified by the watch as its own would be", async () => {
    await using world = await openWatchWorld({ config: { mode: "approve", modeIsDefault: false } });
    world.troubles = [world.trouble()];
    await world.step();
    const { id } = await world.incident();
    const { plan } = await world.gate.propose({
      incidentId: id,
      targets: [targetOf()],
      reason: "seen in the IDE",
      proposedBy: "mcp",
    });
    await world.gate.approve(plan.id, ALICE_TOKEN);
    expect((await world.gate.submit(plan.id)).outcome).toBe("executed");
    world.recovery = "pending";
    await world.step();
    expect(await world.incident()).toMatchObject({
      stage: "verifying",
      plan: { id: plan.id },
      gate: { outcome: "executed" },
    });
    world.troubles = [];
    world.recovery = "recovered";
    await world.step();
    expect(await world.incident()).toMatchObject({ stage: "closed", outcome: "recovered" });
    expect(world.targets.writes()).toHaveLength(1);
  });

  it.each(["rollout_pause", "rollout_promote", "argocd_resume_auto_sync"] as const)(
    "a plan that takes nothing back is none to wait for: after a %s the change is still taken back",
    async (action) => {
      await using world = await openWatchWorld({ config: { mode: "approve", modeIsDefault: false } });
      world.troubles = [world.trouble()];
      await world.step();
      const { id, plan: own } = await world.incident();
      if (own === null) throw new Error("the watch has a plan of its own");
      const targets = [targetOf({ action })];
      const plan = { ...own, id: "plan-of-somebody", targets, proposedBy: "mcp" };
      const results = targets.map((target) => ({
        target,
        result: "done",
        detail: "",
        at: world.time.now,
        warnings: [],
      }));
      const review = { verdict: "allow", rules: [] };
      const body = { planId: plan.id, outcome: "executed", review, results, executedAt: world.time.now };
      await world.store.transact(async (tx) => {
        await tx.savePlan(plan);
        await tx.append({ kind: "plan.answered", incidentId: id, planId: plan.id, actor: "gate", body });
      });
      world.recovery = "pending";
      await world.step();
      expect(await world.incident()).toMatchObject({ stage: "waiting-approval", plan: { id: own.id } });
      await world.gate.approve(own.id, ALICE_TOKEN);
      await world.step();
      expect(world.targets.writes()).toMatchObject([{ key: `${own.id}:0`, version: "v1" }]);
    },
  );

  it("a target that cannot be reached is tried again with growing pauses, and never verified as if it were done", async () => {
    await using world = await openWatchWorld();
    world.targets.mark(targetOf(), { behaviour: "unreachable" });
    world.troubles = [world.trouble()];
    await world.step(2);
    expect((await world.incident()).stage).not.toBe("verifying");
    const tries = async () => (await world.kinds()).filter((kind) => kind === "target.attempted").length;
    await world.step(200);
    const [few, stage] = [await tries(), (await world.incident()).stage];
    expect(stage).not.toBe("closed");
    expect(few).toBeGreaterThan(1);
    expect(few).toBeLessThan(20);
    world.targets.mark(targetOf(), { behaviour: null });
    world.recovery = "pending";
    await world.step((10 * 60_000) / STEP_MS);
    expect((await world.incident()).stage).toBe("verifying");
    expect(world.targets.writes()).toHaveLength(1);
  });
});

describe("S15: an act that failed", () => {
  it("is no act where its target stands as before: nothing is verified, and the evidence is judged again", async () => {
    await using world = await openWatchWorld();
    world.targets.mark(targetOf(), { behaviour: "fail" });
    world.troubles = [world.trouble()];
    await world.step();
    expect(await world.incident()).toMatchObject({ stage: "investigated", plan: null, gate: null });
    await world.step(6);
    // What failed once without a person is put before one.
    expect(await world.incident()).toMatchObject({ stage: "waiting-approval", gate: { outcome: "held" } });
    world.targets.mark(targetOf(), { behaviour: null });
    world.recovery = "pending";
    await world.gate.approve((await world.incident()).plan?.id ?? "", ALICE_TOKEN);
    await world.step();
    expect(await world.incident()).toMatchObject({ stage: "verifying", gate: { outcome: "executed" } });
    expect(world.targets.writes()).toHaveLength(1);
  });
});

describe("S5: an act whose result is unknown", () => {
  /** Checkout's rollback was tried; the target has not answered since, neither that nor what it was asked. */
  async function unanswered() {
    const world = await openWatchWorld();
    world.troubles = [world.trouble()];
    world.targets.mark(targetOf(), { behaviour: "silent" });
    const acting = world.step();
    while (world.targets.calls().length === 0) await delay(5);
    world.targets.remove(targetOf());
    await acting;
    expect((await world.incident()).gate?.results.map(({ result }) => result)).toEqual(["unknown"]);
    // Whatever the signals do: nobody knows whether the act has happened.
    world.recovery = "recovered";
    return world;
  }

  it("is not judged before it was reconciled, and then by what it turned out to be", async () => {
    await using world = await unanswered();
    await world.step(3);
    expect(await world.incident()).toMatchObject({ stage: "verifying", recovery: null });
    world.targets.place(targetOf());
    await world.step(3);
    expect(await world.incident()).toMatchObject({
      stage: "closed",
      outcome: "recovered",
      gate: { outcome: "executed" },
    });
    expect(world.targets.writes()).toHaveLength(1);
  });

  it.each([
    ["while it is waited for", 3],
    ["after its verification ended as unknown, its signals degraded still", (6 * MINUTE) / STEP_MS],
  ] as const)(
    "is no act any more where it turns out, %s, that somebody else restored the version",
    async (_, steps) => {
      await using world = await unanswered();
      world.recovery = "unknown";
      await world.step(steps);
      expect(await world.incident()).toMatchObject({ stage: "verifying", gate: { outcome: "stopped" } });
      // A person rolled it back by hand: what was sent can no longer land, and nothing is left to undo.
      world.targets.place(targetOf(), targetOf().restore);
      world.troubles = [world.trouble(blameless)];
      // A target that does not answer is asked again after growing pauses.
      await world.step((5 * MINUTE) / STEP_MS);
      const incident = await world.incident();
      expect(incident).toMatchObject({ stage: "investigated", plan: null, gate: null, recovery: null, outcome: null });
      expect(incident.timeline.find(({ event }) => event === "nothing was written")?.detail).toMatch(
        /^nothing-to-do: .*already at v1/,
      );
      world.troubles = [];
      await world.step((5 * MINUTE) / STEP_MS);
      expect(await world.incident()).toMatchObject({
        stage: "closed",
        outcome: "no-action",
        gate: null,
        recovery: null,
      });
      expect(world.drafted).toContain(incident.id);
      const { broken } = recordOf("checkout", await world.incidents(), new Map(), new Set());
      expect(broken).toBeNull();
    },
  );

  it("keeps its incident open for minutes, not for ever, where the target never answers", async () => {
    await using world = await unanswered();
    await world.step((4 * MINUTE) / STEP_MS);
    expect(await world.incident()).toMatchObject({ stage: "verifying" });
    await world.step((2 * MINUTE) / STEP_MS);
    expect((await world.incident()).stage).toBe("closed");
  });

  it("holds up no other incident", async () => {
    await using world = await unanswered();
    const cart = targetOf({ name: "cart" });
    world.targets.place(cart);
    world.troubles = [...world.troubles, world.trouble({}, cart)];
    await world.step(2);
    expect(world.targets.writes().map(({ object }) => object)).toEqual(["Deployment/production/cart"]);
  });
});
