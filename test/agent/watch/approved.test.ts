import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { NO_INCIDENT, type Plan } from "../../../core/model/plan.ts";
import { targetOf } from "../../core/guardrails/rule-inputs.ts";
import { ALICE_TOKEN } from "../../mcp-tools/gate/gate-world.ts";
import { openWatchWorld, STEP_MS, type WatchWorld } from "./watch-world.ts";

let world: WatchWorld;
beforeEach(async () => {
  world = await openWatchWorld();
});
afterEach(() => world[Symbol.asyncDispose]());

/** What an assistant files and submits once, and then leaves. */
async function proposed(incidentId = NO_INCIDENT): Promise<Plan> {
  const target = targetOf({ service: "cart", name: "cart", changeId: "deploy-cart" });
  world.targets.place(target);
  const draft = { incidentId, targets: [target], reason: "customers complain", proposedBy: "mcp:stdio:assistant" };
  const { plan } = await world.gate.propose(draft);
  expect((await world.gate.submit(plan.id)).outcome).toBe("held");
  return plan;
}

describe("S1, S4: what a person approved is carried out, whoever proposed it and wherever they are", () => {
  it("by the watch, on its next look, once; and nothing of it before", async () => {
    const plan = await proposed();
    await world.step(3);
    expect(world.targets.calls()).toEqual([]);
    await world.gate.approve(plan.id, ALICE_TOKEN);
    await world.step(3);
    expect(world.targets.writes()).toMatchObject([{ key: `${plan.id}:0` }]);
    expect(world.texts("plan.executed")).toEqual([
      expect.stringContaining(`${plan.id}, proposed by mcp:stdio:assistant and approved: executed`),
    ]);
  });

  it("also by a watch that starts after the approval", async () => {
    const plan = await proposed();
    await world.gate.approve(plan.id, ALICE_TOKEN);
    await world.restart();
    await world.step();
    expect(world.targets.writes()).toHaveLength(1);
  });

  it("not while it is paused; once that is over, while the approval lives", async () => {
    const plan = await proposed();
    await world.gate.approve(plan.id, ALICE_TOKEN);
    await world.gate.pause("all", "bob");
    await world.step(4);
    expect(world.targets.writes()).toEqual([]);
    await world.gate.resume("all", ALICE_TOKEN);
    await world.step(6);
    expect(world.targets.writes()).toHaveLength(1);
  });

  it("also the watch's own plan, approved before or during a pause", async () => {
    world.troubles = [world.trouble({ policy: "human_review", needsPerson: ["no automatic condition holds"] })];
    await world.step();
    const { plan } = await world.incident();
    if (plan === null) throw new Error("the watch filed no plan");
    await world.gate.pause("all", "bob");
    await world.step(2);
    await world.gate.approve(plan.id, ALICE_TOKEN);
    await world.step(4);
    expect(world.targets.writes()).toEqual([]);
    await world.gate.resume("all", ALICE_TOKEN);
    await world.step(12);
    expect(world.targets.writes()).toMatchObject([{ key: `${plan.id}:0` }]);
  });

  it("not the watch's own that was rejected after the yes, once a pause is over", async () => {
    world.troubles = [world.trouble({ policy: "human_review", needsPerson: ["no automatic condition holds"] })];
    await world.step();
    const { plan } = await world.incident();
    if (plan === null) throw new Error("the watch filed no plan");
    await world.gate.pause("all", "bob");
    await world.gate.approve(plan.id, ALICE_TOKEN);
    await world.step(4);
    await world.gate.reject(plan.id, ALICE_TOKEN, "on second thoughts");
    await world.gate.resume("all", ALICE_TOKEN);
    await world.step(20);
    expect(world.targets.writes()).toEqual([]);
  });

  it("not after its time, nor what was rejected after the yes", async () => {
    const late = await proposed();
    await world.gate.approve(late.id, ALICE_TOKEN);
    world.time.now = late.expiresAt;
    await world.step(2);
    const rejected = await proposed();
    expect(rejected.id).not.toBe(late.id);
    await world.gate.approve(rejected.id, ALICE_TOKEN);
    await world.gate.reject(rejected.id, ALICE_TOKEN, "on second thoughts");
    await world.step((10 * 60_000) / STEP_MS);
    expect(world.targets.writes()).toEqual([]);
  });

  it("the same plan as the watch's own in an incident is that one: one yes, one act", async () => {
    world.troubles = [world.trouble({ policy: "human_review", needsPerson: ["no automatic condition holds"] })];
    await world.step();
    const { id, plan: own } = await world.incident();
    if (own === null) throw new Error("the watch filed no plan");
    const draft = { incidentId: id, targets: own.targets, reason: "I think so too", proposedBy: "mcp:stdio:assistant" };
    const { plan } = await world.gate.propose(draft);
    expect(plan.id).toBe(own.id);
    await world.gate.approve(plan.id, ALICE_TOKEN);
    await world.step(2);
    expect(world.targets.writes()).toHaveLength(1);
  });
});

describe("a plan that the gate first held and then let go by itself", () => {
  it("is told with what let it go, before it is told as executed, in the watch and in the record", async () => {
    await world.gate.pause("all", "bob");
    world.troubles = [world.trouble()];
    await world.step(2);
    expect(world.targets.writes()).toEqual([]);
    await world.gate.resume("all", ALICE_TOKEN);
    await world.step(12);
    expect(world.targets.writes()).toHaveLength(1);
    const told = world.events.map(({ event }) => event);
    const done = told.indexOf("plan.executed");
    expect(told[done - 1]).toBe("plan.reviewed");
    expect(world.events[done - 1]?.text).toMatch(/^allowed/);
    const { timeline } = await world.incident();
    const events = timeline.map(({ event }) => event);
    expect(events.indexOf("allowed")).toBe(events.indexOf("executed") - 1);
  });

  it("is told once where the gate let it go at once", async () => {
    world.troubles = [world.trouble()];
    await world.step(2);
    expect(world.events.filter(({ event }) => event === "plan.reviewed")).toHaveLength(1);
    expect((await world.incident()).timeline.map(({ event }) => event)).not.toContain("allowed");
  });
});
