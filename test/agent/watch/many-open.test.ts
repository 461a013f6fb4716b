import { describe, expect, it } from "vitest";
import { FINISHED } from "../../../agent/watch/aftermath.ts";
import { claim } from "../../../agent/watch/earlier.ts";
import { targetKey } from "../../../core/guardrails/targets.ts";
import type { Incident } from "../../../core/model/incident.ts";
import { changeOf, MINUTE, NOW, planOf, targetOf } from "../../core/guardrails/rule-inputs.ts";
import { blameless, type Trouble } from "./trouble.ts";
import { openWatchWorld, STEP_MS, type WatchWorld } from "./watch-world.ts";

const QUIET = 12;
const needsPerson = ["checkout is listed under never_auto_rollback"];
const services = async (world: WatchWorld) =>
  (await world.incidents()).map(({ service, outcome, trouble }) => [service, outcome, [...(trouble ?? [])].sort()]);

/** The world whose degraded services hang together as a test says. */
async function grouped(groups: { now: readonly (readonly string[])[] }): Promise<WatchWorld> {
  return openWatchWorld({ parts: { episodes: () => groups.now } });
}

describe("groups that merge and split while incidents are open", () => {
  const both = (world: WatchWorld, one: Partial<Trouble> = blameless, other: Partial<Trouble> = blameless) => [
    world.trouble(one),
    world.trouble({ ...other, services: ["cart"] }, targetOf({ name: "cart" })),
  ];

  it("two incidents for which nothing was done become one, and the older goes on", async () => {
    const groups = { now: [["checkout"]] };
    await using world = await grouped(groups);
    world.troubles = both(world);
    await world.step();
    groups.now = [["checkout"], ["cart"]];
    await world.step();
    expect(world.watch.open()).toHaveLength(2);
    groups.now = [["cart", "checkout"]];
    await world.step();
    expect(await services(world)).toEqual([
      ["checkout", null, ["cart", "checkout"]],
      ["cart", "withdrawn", ["cart"]],
    ]);
    const [older, younger] = await world.incidents();
    expect(younger?.joined).toBe(older?.id);
  });

  it.each<[string, readonly (readonly (readonly string[])[])[], number, readonly number[]]>([
    [
      "that become one after a step are told of once",
      [[["checkout"], ["cart"]], [["cart", "checkout"]]],
      0,
      [0, 1, 1, 1],
    ],
    [
      "that stay apart are told of one after three evaluations, and of the other after ten",
      [[["checkout"], ["cart"]]],
      0,
      [0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 2, 2],
    ],
    ["that began minutes apart are told of each, at once", [[["checkout"], ["cart"]]], 5, [2, 2, 2, 2]],
  ])("two incidents that no change caused, %s", async (_, rounds, minutesApart, told) => {
    const groups: { now: readonly (readonly string[])[] } = { now: [] };
    await using world = await grouped(groups);
    const since = world.time.now - minutesApart * MINUTE - STEP_MS;
    world.troubles = both(world, blameless, minutesApart === 0 ? blameless : { ...blameless, since });
    const heard: number[] = [];
    for (let round = 0; round < told.length; round += 1) {
      groups.now = rounds[Math.min(round, rounds.length - 1)] ?? [];
      await world.step();
      heard.push(world.texts("incident.decided").length);
    }
    expect(heard).toEqual(told);
  });

  it("one with a plan keeps it, and both stay with their own services", async () => {
    const groups = { now: [["checkout"], ["cart"]] };
    await using world = await grouped(groups);
    world.troubles = both(world, { needsPerson }, blameless);
    await world.step(2);
    const plan = world.watch.open().find(({ service }) => service === "checkout")?.plan;
    groups.now = [["cart", "checkout"]];
    await world.step(5);
    expect(await services(world)).toEqual([
      ["checkout", null, ["checkout"]],
      ["cart", null, ["cart"]],
    ]);
    expect(world.watch.open().find(({ service }) => service === "checkout")?.plan?.id).toBe(plan?.id);
  });

  it("what splits off for several evaluations is an incident of its own, with its own onset and no plan", async () => {
    const groups = { now: [["cart", "checkout"]] };
    await using world = await grouped(groups);
    const since = world.time.now - 5 * MINUTE;
    world.troubles = [
      world.trouble({ ...blameless, services: ["checkout"] }),
      world.trouble({ ...blameless, services: ["cart"], since }),
    ];
    await world.step(2);
    expect(world.watch.open()).toHaveLength(1);
    groups.now = [["checkout"], ["cart"]];
    await world.step(2);
    expect(world.watch.open()).toHaveLength(1);
    await world.step();
    expect(await services(world)).toEqual([
      ["checkout", null, ["checkout"]],
      ["cart", null, ["cart"]],
    ]);
    const split = world.watch.open().find(({ service }) => service === "cart");
    expect(split).toMatchObject({ plan: null, onset: { at: since } });
  });

  it("a single evaluation in which two are apart splits nothing", async () => {
    const groups = { now: [["cart", "checkout"]] };
    await using world = await grouped(groups);
    world.troubles = both(world);
    for (let round = 0; round < 4; round += 1) {
      groups.now = [["cart", "checkout"]];
      await world.step(2);
      groups.now = [["checkout"], ["cart"]];
      await world.step();
    }
    expect(world.texts("incident.detected")).toHaveLength(1);
  });

  it.each([
    [12, "leaves at once when it is degraded apart from the rest", ["checkout", "cart"]],
    [2, "stays: what was back for two evaluations has not ended", ["checkout"]],
  ])("a service that was well for %i evaluations %s", async (steps, _, expected) => {
    const groups: { now: readonly (readonly string[])[] } = { now: [["cart", "checkout"]] };
    await using world = await grouped(groups);
    world.troubles = both(world);
    await world.step();
    world.troubles = [world.trouble(blameless)];
    groups.now = [["checkout"]];
    await world.step(steps);
    world.troubles = both(world);
    groups.now = [["checkout"], ["cart"]];
    await world.step(5);
    expect(world.watch.open().map(({ service }) => service)).toEqual(expected);
  });

  it.each([
    ["by a stored plan", [{ id: "a", plan: planOf() }], [], { id: "a", plan: "plan-1" }],
    ["by a plan that is on its way", [], [["a", targetOf()]], { id: "a", plan: "a plan" }],
    ["not by its own", [{ id: "b", plan: planOf() }], [["b", targetOf()]], null],
    ["not by one that is over", [{ id: "a", plan: planOf({ expiresAt: NOW }) }], [], null],
    [
      "not by one whose service moved on",
      [{ id: "a", plan: planOf(), superseded: [{ service: "checkout" }] }],
      [],
      null,
    ],
  ] as const)("an object is held %s", async (_, open, claimed, holder) => {
    const claims = new Map(claimed.map(([id, target]) => [targetKey(target), id]));
    const own = { id: "b" } as Incident;
    expect(claim([targetOf()], own, { open: open as unknown as readonly Incident[], claims, now: NOW })).toEqual(
      holder,
    );
  });
});

describe("an older open incident of the same service", () => {
  /** Checkout deployed anew, and degraded by that. */
  function deployedAnew(world: WatchWorld): Trouble {
    const target = targetOf({
      changeId: "deploy-checkout-2",
      expected: { version: "v3", revision: "8" },
      restore: { version: "v2", revision: "7" },
    });
    world.targets.place(target);
    const startedAt = world.time.now;
    const scripted = world.gather;
    world.gather = async (now) => {
      const file = await scripted(now);
      const newer = changeOf(target, { startedAt, finishedAt: startedAt + 5000 });
      return { ...file, changes: [...file.changes.filter(({ id }) => id !== newer.id), newer] };
    };
    return world.trouble({ since: startedAt + 10_000 }, target);
  }

  it("for which nothing was done is judged anew, with the new onset and what was before it", async () => {
    await using world = await openWatchWorld();
    world.troubles = [world.trouble(blameless)];
    await world.step(4);
    world.assess = ((assess) => (file, focus) => {
      const said = assess(file, focus);
      return { ...said, baselines: said.baselines.map((one) => ({ ...one, upper: 0.02 })) };
    })(world.assess);
    const newer = deployedAnew(world);
    world.troubles = [newer];
    await world.step(2);
    expect(await world.incident()).toMatchObject({ stage: "verifying", onset: { at: newer.since } });
    expect((await world.incident()).baselines.map(({ upper }) => upper)).toEqual([0.02]);
    expect(world.targets.writes()).toMatchObject([{ version: "v2" }]);
  });

  it.each([
    ["later is an incident of its own", 0, false, 2],
    ["before the plan was made is of its trouble", -60 * MINUTE, false, 1],
    ["later and calls what would be undone is of its trouble", 0, true, 1],
  ])("with a plan that waits: what breaks together with its service %s", async (_, offset, calls, expected) => {
    const groups: { now: readonly (readonly string[])[] } = { now: [["checkout"]] };
    await using world = await grouped(groups);
    const scripted = world.gather;
    world.gather = async (now) => {
      const file = await scripted(now);
      return calls ? { ...file, topology: { edges: [["cart", "checkout"]], external: [] } } : file;
    };
    world.troubles = [world.trouble({ needsPerson })];
    await world.step(3);
    const since = world.time.now + STEP_MS + offset;
    groups.now = [["cart", "checkout"]];
    world.troubles = [world.trouble({ ...blameless, services: ["cart", "checkout"], since })];
    await world.step(3);
    expect(world.watch.open()).toHaveLength(expected);
    expect(world.watch.open()[0]?.plan).not.toBeNull();
  });

  it("with a plan that waits hides nothing: the newer change has an incident of its own, and the older one ends", async () => {
    await using world = await openWatchWorld();
    world.troubles = [world.trouble({ needsPerson })];
    await world.step(2);
    expect(await world.incident()).toMatchObject({ stage: "waiting-approval" });
    world.troubles = [deployedAnew(world)];
    await world.step(2);
    const [older, newer] = await world.incidents();
    expect(older).toMatchObject({ outcome: "withdrawn" });
    expect(older?.timeline.at(-1)?.detail).toContain(`investigated in ${newer?.id}`);
    expect(newer).toMatchObject({ stage: "verifying", decision: { changeIds: ["deploy-checkout-2"] } });
  });
});

describe("what is left to do after a restart", () => {
  const closedOf = (incident: Incident, index: number): Incident => ({
    ...incident,
    id: `later-${index}`,
    gate: null,
    plan: null,
    recovery: null,
    detectedAt: incident.detectedAt + index,
  });

  it("is asked of the ledger, however many incidents closed since", async () => {
    await using world = await openWatchWorld();
    world.troubles = [world.trouble()];
    await world.step();
    world.recovery = "not-recovered";
    await world.step();
    const first = await world.incident();
    for (let index = 1; index <= 60; index += 1) await world.store.saveIncident(closedOf(first, index));
    await world.restart();
    await world.step(QUIET);
    expect(world.texts("incident.detected")).toHaveLength(1);
    expect(world.remembered).toHaveLength(61);
    await world.restart();
    expect(world.remembered).toHaveLength(61);
    expect(await world.store.incidents({ open: false, lacking: FINISHED })).toEqual([]);
  });

  it("gives up a step that never answers, and begins it anew", async () => {
    await using world = await openWatchWorld({ parts: { workPatienceMs: 20 } });
    const { gate } = world;
    let asked = 0;
    await world.restart({
      workPatienceMs: 20,
      gate: {
        ...gate,
        submit: (id) => {
          asked += 1;
          return asked === 1 ? new Promise(() => {}) : gate.submit(id);
        },
      },
    });
    world.troubles = [world.trouble()];
    await world.step((4 * MINUTE) / STEP_MS);
    expect(world.targets.writes()).toEqual([]);
    await world.step((2 * MINUTE) / STEP_MS);
    await expect.poll(() => world.targets.writes()).toHaveLength(1);
  });
});

describe("what changes an incident while a step of it is on its way", () => {
  it("is kept, once, by whatever that step saves", async () => {
    await using world = await openWatchWorld({ parts: { workPatienceMs: 40 } });
    const answer = Promise.withResolvers<void>();
    const { gate } = world;
    await world.restart({
      workPatienceMs: 40,
      gate: {
        ...gate,
        submit: async (id) => {
          await answer.promise;
          return gate.submit(id);
        },
      },
    });
    world.troubles = [world.trouble()];
    await world.step(3);
    expect((await world.incident()).stage).toBe("executing");
    const said = async () => (await world.incident()).timeline.filter(({ event }) => event.startsWith("chain "));
    expect(await said()).toHaveLength(1);
    answer.resolve();
    await expect.poll(async () => (await world.incident()).stage).toBe("verifying");
    expect(await said()).toHaveLength(1);
    expect(world.targets.writes()).toHaveLength(1);
  });
});
