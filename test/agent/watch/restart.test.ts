import { describe, expect, it } from "vitest";
import { type IncidentStage, takenUpAt } from "../../../core/model/incident.ts";
import { MINUTE, targetOf } from "../../core/guardrails/rule-inputs.ts";
import { ALICE_TOKEN } from "../../mcp-tools/gate/gate-world.ts";
import { blameless } from "./trouble.ts";
import { FEEDBACK, openWatchWorld, STEP_MS, type WatchWorld } from "./watch-world.ts";

const A_WHILE = 20;

/** Plays one incident to its end; `at` is called after each stretch, where a restart may come between. */
async function play(world: WatchWorld, at: (stage: IncidentStage | "none") => Promise<void>): Promise<void> {
  const between = async () => at((await world.store.incidents())[0]?.stage ?? "none");
  await between();
  world.troubles = [
    world.trouble({ condition: "pending", firesAt: world.time.now + 2 * MINUTE, action: "no_action", targets: [] }),
  ];
  await world.step();
  await between();
  world.troubles = [world.trouble({ condition: "pending", firesAt: world.time.now + MINUTE })];
  await world.step();
  await between();
  world.troubles = [world.trouble({ policy: "human_review" })];
  await world.step();
  await between();
  await world.gate.approve((await world.incident()).plan?.id ?? "", ALICE_TOKEN);
  await between();
  await world.step();
  await between();
  world.troubles = [];
  await world.step(2);
  world.recovery = "recovered";
  await world.step();
  await between();
  await world.step(A_WHILE);
}

describe("S5: a watch that is started anew over the same ledger", () => {
  const stages = ["none", "detected", "waiting-policy", "waiting-approval", "verifying", "closed"] as const;

  it.each(stages)("goes on where the incident stood at stage %s, and ends it as it would have ended", async (stage) => {
    await using world = await openWatchWorld({ onDisk: true });
    const seen = new Set<string>();
    await play(world, async (now) => {
      if (now === stage) await world.restart();
      seen.add(now);
    });
    expect([...seen].sort()).toEqual([...stages].sort());
    expect(await world.incident()).toMatchObject({ stage: "closed", outcome: "recovered" });
    expect(world.targets.writes()).toHaveLength(1);
    expect(world.targets.calls()).toHaveLength(1);
    expect(world.texts("incident.detected")).toHaveLength(1);
    expect(world.remembered).toHaveLength(1);
    expect(await world.store.verify()).toMatchObject({ ok: true });
  });

  it("goes on after a crash between the gate's write and the watch's own record of it, and does nothing twice", async () => {
    await using world = await openWatchWorld({ onDisk: true });
    world.troubles = [world.trouble({ condition: "pending" })];
    await world.step();
    const { gate } = world;
    await world.restart();
    const dying = {
      ...gate,
      submit: async (id: string) => {
        await gate.submit(id);
        throw new Error("killed");
      },
    };
    await world.restart({ gate: dying });
    world.troubles = [world.trouble()];
    await world.step();
    expect((await world.incident()).stage).toBe("executing");
    expect(world.targets.writes()).toHaveLength(1);
    await world.restart();
    await world.step();
    expect(await world.incident()).toMatchObject({ stage: "verifying", gate: { outcome: "executed" } });
    expect(world.targets.calls()).toHaveLength(1);
  });

  it("goes on after a crash between its record and the gate's", async () => {
    await using world = await openWatchWorld({ onDisk: true });
    world.troubles = [world.trouble()];
    await world.restart({
      gate: {
        ...world.gate,
        submit: async () => {
          throw new Error("killed");
        },
      },
    });
    await world.step();
    expect((await world.incident()).stage).toBe("executing");
    await world.restart();
    await world.step();
    expect(await world.incident()).toMatchObject({ stage: "verifying" });
    expect(world.targets.writes()).toHaveLength(1);
  });

  it("does not act for a trouble that passed while it was down, though its record says executing", async () => {
    await using world = await openWatchWorld({ onDisk: true });
    world.troubles = [world.trouble()];
    await world.restart({
      gate: {
        ...world.gate,
        submit: async () => {
          throw new Error("killed");
        },
      },
    });
    await world.step();
    world.troubles = [];
    await world.restart();
    await world.step(A_WHILE);
    expect(world.targets.calls()).toEqual([]);
    expect(await world.incident()).toMatchObject({ stage: "closed", outcome: "withdrawn" });
  });

  it("asks the chain for a decision that a crash kept from it", async () => {
    await using world = await openWatchWorld();
    const asked: string[] = [];
    world.troubles = [world.trouble()];
    await world.step();
    const [incident] = world.watch.open();
    const cut = incident?.timeline.filter(({ event }) => !event.startsWith("chain ")) ?? [];
    if (incident !== undefined) await world.store.saveIncident({ ...incident, timeline: cut });
    await world.restart({
      reason: async ({ id }) => {
        asked.push(id);
        return {
          decision: null,
          agrees: true,
          summary: "",
          body: {},
          usage: { inputTokens: 0, outputTokens: 0, toolCalls: 0 },
          questions: [],
        };
      },
    });
    await world.step(3);
    expect(asked).toEqual([incident?.id]);
  });

  it("does not take what lingers of a closed incident for news", async () => {
    await using world = await openWatchWorld();
    world.troubles = [world.trouble()];
    await world.step();
    world.recovery = "recovered";
    await world.step();
    await world.restart();
    await world.step(4);
    expect(await world.incidents()).toHaveLength(1);
  });

  it("knows what joined an incident before the crash: one incident goes on, and no second one begins", async () => {
    const groups = { now: [["checkout"]] };
    await using world = await openWatchWorld({ parts: { episodes: () => groups.now } });
    world.troubles = [world.trouble(blameless)];
    await world.step(2);
    groups.now = [["cart", "checkout"]];
    world.troubles = [
      world.trouble({ ...blameless, services: ["checkout"] }),
      world.trouble({ ...blameless, services: ["cart"] }),
    ];
    world.assess = ((assess) => (file, focus) => {
      const said = assess(file, focus);
      // What the core finds to be affected is one thing, what the incident was opened for another.
      return {
        ...said,
        baselines: [],
        answers: { ...said.answers, check_affected_services: { services: ["checkout"], origin: "checkout" } },
      };
    })(world.assess);
    await world.step(2);
    expect([...(world.watch.open()[0]?.trouble ?? [])].sort()).toEqual(["cart", "checkout"]);
    await world.restart();
    expect([...(world.watch.open()[0]?.trouble ?? [])].sort()).toEqual(["cart", "checkout"]);
  });

  it("writes down that it was started again in the middle of a verification, since what happened meanwhile may not have been measured", async () => {
    await using world = await openWatchWorld({ onDisk: true });
    world.troubles = [world.trouble()];
    await world.step();
    expect(takenUpAt(await world.incident())).toBeNull();
    world.time.now += 5 * MINUTE;
    await world.restart();
    expect(takenUpAt(await world.incident())).toBe(world.time.now);
    // It has the whole time again: nobody looked until now.
    world.recovery = "pending";
    await world.step(FEEDBACK.timeoutMs / STEP_MS);
    expect(await world.incident()).toMatchObject({ stage: "verifying", recovery: { verdict: "pending" } });
  });

  it("says which incidents it takes up again", async () => {
    await using world = await openWatchWorld();
    world.targets.place(targetOf({ name: "cart" }));
    world.troubles = [world.trouble({ condition: "pending" })];
    await world.step();
    await world.restart();
    expect(world.texts("watch.started")).toEqual([expect.stringContaining((await world.incident()).id)]);
  });
});
