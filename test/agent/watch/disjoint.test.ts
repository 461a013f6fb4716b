import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Beat, fateOf, openFleet, scriptOf } from "./fleet-script.ts";

const SERVICES = ["checkout", "search", "media"] as const;

/** What becomes of one service when only its own part of the script is played. */
async function fateAlone(service: string, script: readonly Beat[]): Promise<unknown> {
  await using fleet = await openFleet([service]);
  for (const beat of script) await (beat.service === service ? fleet.play(beat) : fleet.pass(beat));
  return await fateOf(service, fleet);
}

describe("S16: services that nothing joins", () => {
  it("have the incidents that each has alone, whatever state those of the others are in", async () => {
    const states = new Set<string>();
    const outcomes = new Set<string>();
    await fc.assert(
      fc.asyncProperty(scriptOf(SERVICES), async (script) => {
        await using fleet = await openFleet(SERVICES);
        for (const beat of script) {
          await fleet.play(beat);
          const open = fleet.world.watch.open();
          if (open.length > 1) for (const { stage } of open) states.add(stage);
        }
        for (const { outcome } of await fleet.world.incidents()) outcomes.add(String(outcome));
        expect(await fleet.world.store.verify()).toMatchObject({ ok: true });
        expect(fleet.world.texts("tick.failed")).toEqual([]);
        for (const service of SERVICES) expect(await fateOf(service, fleet)).toEqual(await fateAlone(service, script));
      }),
      { numRuns: 25, seed: 16, endOnFailure: true },
    );
    // The law says nothing unless several incidents stood side by side in many a state.
    expect([...states].sort()).toEqual(expect.arrayContaining(["investigated", "verifying", "waiting-approval"]));
    expect(outcomes.size).toBeGreaterThan(4);
  }, 180_000);

  it("are judged, undone and verified while the gate never answers for another one", async () => {
    const never = new Promise<never>(() => {});
    await using fleet = await openFleet(["checkout", "search"], { parts: { workPatienceMs: 20 } });
    const { world } = fleet;
    const { gate } = world;
    const hung: string[] = [];
    await world.restart({
      workPatienceMs: 20,
      gate: {
        ...gate,
        submit: async (id) => {
          const plan = await world.store.plan(id);
          if (plan?.targets.some(({ service }) => service === "checkout") !== true) return gate.submit(id);
          hung.push(id);
          return never;
        },
      },
    });
    const degrade = (service: string): Beat => ({
      service,
      move: { kind: "degrade", as: "automatic" },
      restart: false,
      steps: 2,
    });
    await fleet.play(degrade("checkout"));
    await fleet.play(degrade("search"));
    expect(hung).toHaveLength(1);
    expect(world.targets.writes().map(({ object }) => object)).toEqual(["Deployment/production/search"]);
    expect(world.texts("tick.failed")).toContain("incident inc-checkout-15000: no answer yet; everything else goes on");
    world.troubles = world.troubles.filter(({ services }) => services.includes("checkout"));
    world.recovery = "recovered";
    await world.step(2);
    const [first, second] = await world.incidents();
    expect(first).toMatchObject({ service: "checkout", stage: "executing" });
    expect(second).toMatchObject({ service: "search", outcome: "recovered" });
  });
});
