import { describe, expect, it } from "vitest";
import { cameToNothing, OutcomeKind } from "../../../core/model/incident.ts";
import { MINUTE } from "../../core/guardrails/rule-inputs.ts";
import { ALICE_TOKEN } from "../../mcp-tools/gate/gate-world.ts";
import { openWatchWorld, STEP_MS, type WatchWorld } from "./watch-world.ts";

const QUIET = 12;
const PLAN_LIFE = (16 * MINUTE) / STEP_MS;
const needsPerson = ["checkout is listed under never_auto_rollback"];

/** The trouble passes by itself; the incident as it is closed. */
async function passes(world: WatchWorld) {
  world.troubles = [];
  await world.step(QUIET);
  expect(world.targets.writes()).toEqual([]);
  return world.incident();
}

describe("trouble that passes while nothing was written", () => {
  it("ends denied where the gate denied the plan", async () => {
    await using world = await openWatchWorld({ config: { mode: "observe" } });
    world.troubles = [world.trouble()];
    await world.step(3);
    expect(await passes(world)).toMatchObject({ stage: "closed", outcome: "denied", recovery: null });
    expect(world.texts("incident.closed")[0]).toContain("denied: Nothing was undone: denied: ");
    expect(world.texts("incident.closed")[0]).toContain("observe");
    expect(world.remembered).toMatchObject([{ outcome: "denied" }]);
    expect(world.drafted).toHaveLength(1);
  });

  it("ends denied where a person rejected the plan, whatever was held after it", async () => {
    await using world = await openWatchWorld();
    world.troubles = [world.trouble({ needsPerson })];
    await world.step();
    await world.gate.reject((await world.incident()).plan?.id ?? "", ALICE_TOKEN, "the deploy is innocent");
    await world.step(PLAN_LIFE);
    expect(await passes(world)).toMatchObject({ outcome: "denied" });
    expect(world.texts("incident.closed")[0]).toContain("alice rejected the plan");
  });

  it("ends expired where nobody answered a plan in its time, though a new one stood", async () => {
    await using world = await openWatchWorld();
    world.troubles = [world.trouble({ needsPerson })];
    await world.step(PLAN_LIFE);
    const incident = await passes(world);
    expect(incident).toMatchObject({ outcome: "expired" });
    expect(incident.timeline.filter(({ event }) => event === "plan expired")).toHaveLength(1);
    expect(world.texts("incident.closed")[0]).toContain("Nobody answered the plan");
  });

  it("ends expired over a restart as well", async () => {
    await using world = await openWatchWorld();
    world.troubles = [world.trouble({ needsPerson })];
    await world.step(PLAN_LIFE);
    await world.restart();
    expect((await passes(world)).outcome).toBe("expired");
  });

  it("is withdrawn where it passed before anybody had to answer", async () => {
    await using world = await openWatchWorld();
    world.troubles = [world.trouble({ needsPerson })];
    await world.step(3);
    expect((await passes(world)).outcome).toBe("withdrawn");
  });

  it("ends without an action where the core no longer named one", async () => {
    await using world = await openWatchWorld({ config: { mode: "observe" } });
    const trouble = world.trouble();
    world.troubles = [trouble];
    await world.step(3);
    world.troubles = [{ ...trouble, action: "no_action", culprit: null, noChangeProbability: 0.9 }];
    await world.step(3);
    expect((await passes(world)).outcome).toBe("no-action");
  });
});

describe("a denial that was overcome", () => {
  it("is not the outcome: what was executed in the end is verified", async () => {
    await using world = await openWatchWorld();
    await world.gate.pause("all", "bob");
    world.troubles = [world.trouble()];
    await world.step(10);
    await world.gate.resume("all", ALICE_TOKEN);
    await world.step(40);
    world.recovery = "recovered";
    await world.step();
    expect(await world.incident()).toMatchObject({ outcome: "recovered" });
  });
});

describe("outcomes", () => {
  it("of decisions that came to nothing are these three", () => {
    expect(OutcomeKind.options.filter(cameToNothing)).toEqual(["withdrawn", "denied", "expired"]);
    expect(cameToNothing(null)).toBe(false);
  });
});
