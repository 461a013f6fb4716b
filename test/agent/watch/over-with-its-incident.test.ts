import { describe, expect, it } from "vitest";
import { waitingPlans } from "../../../core/guardrails/waiting-plans.ts";
import type { Plan } from "../../../core/model/plan.ts";
import { targetOf } from "../../core/guardrails/rule-inputs.ts";
import { ALICE_TOKEN } from "../../mcp-tools/gate/gate-world.ts";
import { blameless } from "./trouble.ts";
import { openWatchWorld, type WatchWorld } from "./watch-world.ts";

const ANOTHER = targetOf({ name: "cart" });

const propose = async (world: WatchWorld, incidentId: string): Promise<Plan> => {
  const draft = { incidentId, targets: [ANOTHER], reason: "customers complain", proposedBy: "mcp:stdio:assistant" };
  return (await world.gate.propose(draft)).plan;
};

const openWorld = async (): Promise<WatchWorld> => {
  const world = await openWatchWorld({ config: { mode: "approve", modeIsDefault: false } });
  world.targets.place(ANOTHER);
  world.troubles = [world.trouble(blameless)];
  await world.step(2);
  return world;
};

const close = async (world: WatchWorld) => {
  world.troubles = [];
  for (let steps = 0; steps < 60 && (await world.incident()).stage !== "closed"; steps += 1) await world.step();
  expect(await world.incident()).toMatchObject({ stage: "closed" });
};

const listed = async ({ store, time }: WatchWorld) => (await waitingPlans(store, time.now)).map(({ plan }) => plan.id);

describe("S6, S15: nothing is carried out for an incident that is closed", () => {
  it("what is proposed for one is refused, with what to do instead", async () => {
    await using world = await openWorld();
    await close(world);
    const { id } = await world.incident();
    await expect(propose(world, id)).rejects.toThrow(
      new RegExp(`incident ${id} is closed \\(.*\\).*to propose it outside any incident, leave the incident out`),
    );
    expect(await world.kinds()).not.toContain("plan.proposed");
  });

  it("a plan that waits is over when its incident closes: it can neither be approved nor carried out", async () => {
    await using world = await openWorld();
    const plan = await propose(world, (await world.incident()).id);
    expect(await listed(world)).toEqual([plan.id]);
    await close(world);
    expect(await listed(world)).toEqual([]);
    await expect(world.gate.approve(plan.id, ALICE_TOKEN)).rejects.toThrow(/is closed .*propose it again outside any/);
    expect(await world.gate.submit(plan.id)).toMatchObject({ outcome: "denied", review: { verdict: "deny" } });
    await world.step(20);
    expect(world.targets.writes()).toEqual([]);
  });

  it("a plan that was approved in a pause, too: the watch says once that it came to nothing, and why", async () => {
    await using world = await openWorld();
    const plan = await propose(world, (await world.incident()).id);
    await world.gate.pause("all", "bob");
    await world.gate.approve(plan.id, ALICE_TOKEN);
    await close(world);
    await world.gate.resume("all", ALICE_TOKEN);
    await world.step(20);
    expect(world.targets.writes()).toEqual([]);
    const said = world.texts("plan.not-executed").filter((text) => text.includes(plan.id));
    expect(said.filter((text) => text.includes("is closed"))).toHaveLength(1);
    expect(await listed(world)).toEqual([]);
  });

  it("also the watch's own plan, which a client submits afterwards with the yes that it had", async () => {
    await using world = await openWatchWorld();
    world.troubles = [world.trouble({ policy: "human_review", needsPerson: ["no automatic condition holds"] })];
    await world.step();
    const { plan } = await world.incident();
    if (plan === null) throw new Error("the watch filed no plan");
    await world.gate.pause("all", "bob");
    await world.gate.approve(plan.id, ALICE_TOKEN);
    await close(world);
    await world.gate.resume("all", ALICE_TOKEN);
    expect(await world.gate.submit(plan.id)).toMatchObject({ outcome: "denied" });
    expect(world.targets.writes()).toEqual([]);
  });

  it("a plan of an incident that the ledger does not hold is listed like any other", async () => {
    await using world = await openWorld();
    const plan = await propose(world, "inc-nobody-knows");
    expect(await listed(world)).toEqual([plan.id]);
  });
});
