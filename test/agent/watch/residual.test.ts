import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { pastOf } from "../../../agent/compose/past.ts";
import { recordOf } from "../../../core/guardrails/graduation.ts";
import { incidentTitle, stageWords } from "../../../core/guardrails/incident-text.ts";
import { rebuildFromLedger } from "../../../knowledge/rebuild.ts";
import { changeOf, MINUTE, policyOf, targetOf } from "../../core/guardrails/rule-inputs.ts";
import { ALICE_TOKEN } from "../../mcp-tools/gate/gate-world.ts";
import { blameless } from "./trouble.ts";
import { MESSAGE, openWatchWorld, STEP_MS, type WatchWorld, type WorldOptions } from "./watch-world.ts";

const QUIET = 12;
const NO_LIMITS = { ...policyOf().guardrails, cooldownMs: 0, escalateToHumanAfter: null };

/** Checkout was rolled back; the verification has ended so, and checkout is degraded as before. */
async function inVain(
  verdict: "not-recovered" | "unknown" = "not-recovered",
  options: WorldOptions = {},
): Promise<WatchWorld> {
  const world = await openWatchWorld(options);
  world.troubles = [world.trouble()];
  await world.step();
  world.recovery = verdict;
  await world.step();
  return world;
}

/** Checkout deployed anew, and degraded by that. */
function deployedAnew(world: WatchWorld) {
  const target = targetOf({
    changeId: "deploy-checkout-2",
    expected: { version: "v3", revision: "9" },
    restore: { version: "v2", revision: "8" },
  });
  world.targets.place(target);
  const startedAt = world.time.now;
  const { gather } = world;
  world.gather = async (now) => {
    const file = await gather(now);
    return { ...file, changes: [...file.changes, changeOf(target, { startedAt, finishedAt: startedAt + 5000 })] };
  };
  return world.trouble({ since: startedAt + 10_000 }, target);
}

describe("an act that did not prove to help", () => {
  it.each([
    ["not-recovered", MESSAGE],
    ["unknown", "Whether it recovered is not known: nothing could be measured."],
  ] as const)(
    "leaves its incident open while its signals are degraded, and people are told once: %s",
    async (verdict, said) => {
      await using world = await inVain(verdict);
      await world.step((3 * 60 * MINUTE) / STEP_MS);
      const incident = await world.incident();
      expect(incident).toMatchObject({ stage: "verifying", outcome: verdict, closedAt: null });
      expect(world.texts("incident.escalated")).toEqual([said]);
      expect(world.texts("incident.verified")).toEqual([expect.stringContaining(verdict)]);
      expect(world.texts("incident.detected")).toHaveLength(1);
      expect(world.targets.calls()).toHaveLength(1);
      expect(stageWords(incident, world.time.now)).toContain("degraded still");
      expect(incidentTitle(incident, world.time.now)).toContain("checkout");
      world.troubles = [];
      await world.step(QUIET);
      expect(await world.incident()).toMatchObject({ stage: "closed", outcome: verdict });
      expect((await world.incident()).timeline.at(-1)?.detail).toContain(
        "came back after the act, with no other known change",
      );
      expect(world.texts("incident.closed")).toHaveLength(1);
    },
  );

  it("is remembered and drafted when it was verified, and brought up to date at the end", async () => {
    await using world = await inVain();
    expect(world.remembered.map(({ outcome, stage }) => [outcome, stage])).toEqual([["not-recovered", "verifying"]]);
    expect(world.drafted).toHaveLength(1);
    await world.restart();
    await world.step(3);
    expect(world.drafted).toHaveLength(1);
    world.troubles = [];
    await world.step(QUIET);
    expect(world.remembered.map(({ stage }) => stage)).toEqual(["verifying", "closed"]);
    expect(world.drafted).toHaveLength(2);
  });

  it("S5: what a crash kept from memory and draft is done after the restart", async () => {
    let isDown = true;
    await using world = await inVain("not-recovered", {
      parts: {
        postmortem: async ({ id }) => {
          if (isDown) throw new Error("the disk is full");
          world.drafted.push(id);
          return id;
        },
      },
    });
    expect(world.drafted).toEqual([]);
    isDown = false;
    await world.restart();
    expect(world.drafted).toHaveLength(1);
    expect(await world.incident()).toMatchObject({ stage: "verifying", outcome: "not-recovered" });
  });

  it("counts at once in what is decided next, in how free the service is, and in the memory", async () => {
    await using world = await inVain();
    const incident = await world.incident();
    expect([...(await pastOf(world.store)).past.values()]).toEqual([{ changes: 1, bad: 0 }]);
    expect(recordOf("checkout", [incident], new Map(), new Set()).broken).toContain("did not bring recovery");
    const rebuilt: string[] = [];
    const store = {
      rebuild: async (all: Parameters<Parameters<typeof rebuildFromLedger>[0]["rebuild"]>[0]) => {
        for await (const { id } of all) rebuilt.push(id);
      },
    };
    expect(await rebuildFromLedger(store, world.store)).toBe(1);
    expect(rebuilt).toEqual([incident.id]);
    const { plan } = await world.gate.propose({
      incidentId: incident.id,
      targets: [targetOf({ changeId: "deploy-2", expected: { version: "v3", revision: "9" } })],
      reason: "again",
      proposedBy: "mcp:stdio:x",
    });
    const answer = await world.gate.submit(plan.id);
    expect(answer.review.rules.map(({ rule }) => rule)).toContain("escalation");
  });

  it("ends as it was verified where its service falls silent, after the verification's time, and never as recovered", async () => {
    await using world = await inVain();
    const { gather } = world;
    world.troubles = [];
    world.gather = async (now) => {
      const file = await gather(now);
      return { ...file, series: file.series.filter(({ service }) => service !== "checkout") };
    };
    await world.step((9 * MINUTE) / STEP_MS);
    expect(await world.incident()).toMatchObject({ stage: "verifying" });
    await world.step((2 * MINUTE) / STEP_MS);
    expect(await world.incident()).toMatchObject({ stage: "closed", outcome: "not-recovered" });
    expect(world.texts("incident.escalated").join()).toContain("have no data");
  });

  it("ends at once where nothing could be measured and nothing is seen to be degraded", async () => {
    await using world = await openWatchWorld();
    world.troubles = [world.trouble()];
    await world.step();
    world.troubles = [];
    world.recovery = "unknown";
    await world.step();
    expect(await world.incident()).toMatchObject({ stage: "closed", outcome: "unknown" });
  });

  it("hides no newer deploy: that is undone in an incident of its own, and the old one ends with what it tells", async () => {
    await using world = await inVain("not-recovered", { config: { guardrails: { ...NO_LIMITS } } });
    await world.step(4);
    world.troubles = [deployedAnew(world)];
    world.recovery = "pending";
    await world.step(3);
    const [old, newer] = await world.incidents();
    expect(newer).toMatchObject({ decision: { changeIds: ["deploy-checkout-2"] } });
    expect(old).toMatchObject({ stage: "closed", outcome: "not-recovered" });
    expect(old?.timeline.at(-1)?.detail).toContain("judged by itself");
  });

  it("hides nothing of another service, nor what begins anew once it was over, also after a restart", async () => {
    await using world = await inVain();
    const other = world.trouble({ ...blameless, services: ["cart"] }, targetOf({ name: "cart" }));
    world.troubles = [...world.troubles, other];
    await world.step();
    expect(world.watch.open().map(({ service }) => service)).toEqual(["checkout", "cart"]);
    world.troubles = [];
    await world.step(QUIET + 2);
    expect(world.watch.open()).toEqual([]);
    await world.restart();
    world.troubles = [world.trouble({ ...blameless, since: world.time.now })];
    await world.step(2);
    expect(world.watch.open().map(({ service }) => service)).toEqual(["checkout"]);
    expect(world.texts("incident.detected")).toHaveLength(3);
  });

  it("is verified anew where a person has another plan of it executed", async () => {
    await using world = await inVain();
    const { id } = await world.incident();
    const again = targetOf({
      changeId: "deploy-2",
      expected: { version: "v1", revision: "8" },
      restore: { version: "v0", revision: "5" },
    });
    world.targets.place(again);
    const { plan } = await world.gate.propose({
      incidentId: id,
      targets: [again],
      reason: "further back",
      proposedBy: "mcp:stdio:x",
    });
    await world.gate.approve(plan.id, ALICE_TOKEN);
    expect(await world.gate.submit(plan.id)).toMatchObject({ outcome: "executed" });
    world.recovery = "pending";
    await world.step();
    expect(await world.incident()).toMatchObject({ stage: "verifying", outcome: null, gate: { planId: plan.id } });
    world.recovery = "recovered";
    world.troubles = [];
    await world.step();
    expect(await world.incident()).toMatchObject({ stage: "closed", outcome: "recovered" });
  });

  it("never ends while its signals are degraded, always within 20 evaluations after, and is told once", async () => {
    const stretch = fc.record({
      bad: fc.boolean(),
      steps: fc.constantFrom(1, 3, 9, 13, 30),
      restart: fc.boolean(),
    });
    let early = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(stretch, { minLength: 1, maxLength: 6 }), async (stretches) => {
        await using world = await inVain();
        const [bad] = [world.troubles];
        const { id } = await world.incident();
        const stage = async () => (await world.store.incident(id))?.stage;
        for (const { bad: isBad, steps, restart } of stretches) {
          world.troubles = isBad ? bad : [];
          if (restart) await world.restart();
          for (let step = 0; step < steps; step += 1) {
            const was = await stage();
            await world.step();
            if (was === "closed" || (await stage()) !== "closed") continue;
            early += 1;
            expect(isBad).toBe(false);
          }
        }
        world.troubles = [];
        await world.step(20);
        expect(await world.store.incident(id)).toMatchObject({ stage: "closed", outcome: "not-recovered" });
        expect(world.texts("incident.escalated").filter((text) => text === MESSAGE)).toHaveLength(1);
      }),
      { numRuns: 40, seed: 13 },
    );
    expect(early).toBeGreaterThan(5);
  }, 120_000);
});
