import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MINUTE, targetOf } from "../../core/guardrails/rule-inputs.ts";
import { ALICE_TOKEN } from "../../mcp-tools/gate/gate-world.ts";
import { openWatchWorld, STEP_MS, type WatchWorld } from "./watch-world.ts";

const blameless = { action: "no_action", culprit: null, noChangeProbability: 0.95 } as const;
const acknowledge = async (world: WatchWorld, forMs: number) => {
  for (const { id } of await world.store.incidents({ open: true })) {
    await world.gate.acknowledge(id, ALICE_TOKEN, { as: "acknowledge", forMs, note: "" });
  }
};
const minutes = (count: number) => (count * MINUTE) / STEP_MS;

describe("an incident that somebody acknowledged", () => {
  it("wakes nobody while it goes on; what was not sent is recorded, and said on the terminal", async () => {
    await using world = await openWatchWorld();
    world.troubles = [world.trouble({ ...blameless, condition: "none" })];
    await world.step();
    await acknowledge(world, 30 * MINUTE);
    world.troubles = [world.trouble({ action: "hotfix_recommendation", condition: "none" })];
    await world.step(minutes(20));
    expect(world.notices).toEqual([]);
    expect(world.texts("incident.escalated")).toHaveLength(1);
    expect(world.texts("notice.suppressed")).toEqual([expect.stringContaining("alice acknowledged it until")]);
    expect(await world.kinds()).toContain("notice.suppressed");
  });

  it("is paged once more at its end, while it is still degraded, with what nobody was told", async () => {
    await using world = await openWatchWorld();
    world.troubles = [world.trouble({ ...blameless, condition: "none" })];
    await world.step();
    await acknowledge(world, 30 * MINUTE);
    world.troubles = [world.trouble({ action: "hotfix_recommendation", condition: "none" })];
    await world.step(minutes(60));
    expect(world.notices).toHaveLength(2); // both policies, since no condition is in force
    expect(world.notices[0]?.title).toMatch(/^checkout degraded since /);
    expect(world.notices[0]?.lines).toContainEqual(expect.stringMatching(/^Culprit: .*checkout/));
  });

  it("is over when its signals are back: nobody is paged at its end", async () => {
    await using world = await openWatchWorld();
    world.troubles = [world.trouble(blameless)];
    await world.step();
    await acknowledge(world, 2 * MINUTE);
    const before = world.notices.length;
    world.troubles = [];
    await world.step(minutes(60));
    expect((await world.incident()).stage).toBe("closed");
    expect(world.notices).toHaveLength(before);
  });

  it("is paged at once when a service becomes affected", async () => {
    await using world = await openWatchWorld();
    world.troubles = [world.trouble(blameless)];
    await world.step(minutes(10));
    await acknowledge(world, 120 * MINUTE);
    const before = world.notices.length;
    world.troubles = [world.trouble({ ...blameless, services: ["checkout", "cart"] })];
    await world.step(3);
    expect(world.notices.slice(before).map(({ lines }) => lines[0])).toEqual([
      expect.stringMatching(/^alice acknowledged it at .*: cart became affected/),
    ]);
  });
});

type Happening = {
  readonly condition: "firing" | "pending" | "none" | "silent";
  readonly policy: "auto_rollback" | "human_review";
  readonly action: "rollback" | "no_action" | "hotfix_recommendation";
  readonly services: readonly string[];
  readonly calm: boolean;
  readonly answer: "approve" | "reject" | "nothing";
  readonly recovery: "recovered" | "pending" | "not-recovered" | "unknown";
  readonly redeploy: boolean;
  readonly steps: number;
  /** How long everything that is open is acknowledged for, minutes; 0: it is not. */
  readonly quiet: number;
};
const happening: fc.Arbitrary<Happening> = fc.record({
  condition: fc.constantFrom("firing", "firing", "pending", "none", "silent"),
  policy: fc.constantFrom("auto_rollback", "human_review"),
  action: fc.constantFrom("rollback", "rollback", "no_action", "hotfix_recommendation"),
  services: fc.constantFrom(["checkout"], ["checkout", "cart"]),
  calm: fc.boolean(),
  answer: fc.constantFrom("nothing", "approve", "reject"),
  recovery: fc.constantFrom("recovered", "pending", "not-recovered", "unknown"),
  redeploy: fc.boolean(),
  steps: fc.integer({ min: 0, max: 12 }),
  quiet: fc.constantFrom(0, 1, 30, 600),
});

/** Plays a story, with or without its acknowledgements; all that was judged and done, without who was told. */
async function play(story: readonly Happening[], acknowledged: boolean) {
  await using world = await openWatchWorld();
  for (const { calm, answer, recovery, redeploy, steps, quiet, ...change } of story) {
    world.troubles = calm ? [] : [world.trouble(change)];
    world.recovery = recovery;
    if (redeploy) world.targets.place(targetOf());
    await world.step(steps);
    const plan = (await world.store.incidents({ open: true }))[0]?.plan?.id ?? "none";
    const answers = { approve: world.gate.approve, reject: world.gate.reject, nothing: async () => undefined };
    await answers[answer](plan, ALICE_TOKEN, "no").catch(() => undefined);
    if (acknowledged && quiet > 0) await acknowledge(world, quiet * MINUTE);
    await world.step(1);
  }
  const silent = /^(notice|acknowledgement)\.|^incident\.acknowledged$/;
  const entries = (await world.store.entries()).filter(({ kind }) => !silent.test(kind));
  return {
    entries: entries.map(({ kind, at, actor, incidentId, planId, body }) => ({
      kind,
      at,
      actor,
      incidentId,
      planId,
      body,
    })),
    incidents: await world.incidents(),
    writes: world.targets.writes(),
    events: world.events.filter(({ event }) => !silent.test(event)).map(({ at, event, text }) => ({ at, event, text })),
    acknowledged: (await world.store.entries({ kinds: ["incident.acknowledged"] })).length,
  };
}

describe("S14, S16: an acknowledgement stops pages and changes no judgement", () => {
  it("decisions, plans, verdicts, acts, verifications and ends are the same with and without", {
    timeout: 120_000,
  }, async () => {
    let given = 0;
    let wrote = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(happening, { minLength: 2, maxLength: 8 }), async (story) => {
        const { acknowledged, ...quiet } = await play(story, true);
        const { acknowledged: none, ...loud } = await play(story, false);
        given += acknowledged;
        wrote += loud.writes.length;
        expect(none).toBe(0);
        expect(quiet).toEqual(loud);
      }),
      { numRuns: 60, seed: 20_261_201 },
    );
    // It would prove nothing of stories in which nothing is acknowledged or done.
    expect(given).toBeGreaterThan(60);
    expect(wrote).toBeGreaterThan(10);
  });
});
