import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Incident } from "../../../core/model/incident.ts";
import { targetOf } from "../../core/guardrails/rule-inputs.ts";
import { ALICE_TOKEN } from "../../mcp-tools/gate/gate-world.ts";
import type { Trouble } from "./trouble.ts";
import { openWatchWorld, type WatchWorld } from "./watch-world.ts";

/** What may happen to a watch and its system, in any order. */
const happening = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("trouble" as const),
      condition: fc.constantFrom("firing", "pending", "none", "silent"),
      policy: fc.constantFrom("auto_rollback", "human_review"),
      action: fc.constantFrom("rollback", "no_action", "hotfix_recommendation"),
      needsPerson: fc.constantFrom<readonly string[]>([], ["the impact is not known"]),
      noChangeProbability: fc.constantFrom(0.02, 0.9),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: "calm" as const }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("ticks" as const), count: fc.integer({ min: 1, max: 12 }) }) },
  { weight: 1, arbitrary: fc.constant({ kind: "restart" as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: "approve" as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: "reject" as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: "pause" as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: "resume" as const }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("recovery" as const),
      verdict: fc.constantFrom("pending", "recovered", "not-recovered", "unknown"),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: "redeploy" as const }) },
);
type Happening = typeof happening extends fc.Arbitrary<infer T> ? T : never;

async function happen(world: WatchWorld, what: Happening): Promise<void> {
  const openPlan = async () => (await world.store.incidents({ open: true }))[0]?.plan?.id ?? "none";
  const ignore = () => undefined;
  switch (what.kind) {
    case "trouble": {
      const { kind: _, ...change } = what;
      world.troubles = [world.trouble(change satisfies Partial<Trouble>)];
      return;
    }
    case "calm":
      world.troubles = [];
      return;
    case "ticks":
      return world.step(what.count);
    case "restart":
      return world.restart();
    case "approve":
      return void (await world.gate.approve(await openPlan(), ALICE_TOKEN).catch(ignore));
    case "reject":
      return void (await world.gate.reject(await openPlan(), ALICE_TOKEN, "no").catch(ignore));
    case "pause":
      return world.gate.pause("all", "anyone");
    case "resume":
      return void (await world.gate.resume("all", ALICE_TOKEN).catch(ignore));
    case "recovery":
      world.recovery = what.verdict;
      return;
    case "redeploy":
      world.targets.place(targetOf());
      return;
  }
}

const story = fc.array(happening, { minLength: 1, maxLength: 25 });

describe("whatever happens to a watch, in whatever order", () => {
  it("each incident executes at most one plan, nobody's no is overruled, and no incident is lost", async () => {
    await fc.assert(
      fc.asyncProperty(story, async (happenings) => {
        await using world = await openWatchWorld();
        for (const what of happenings) await happen(world, what);
        const entries = await world.store.entries();
        const incidents = await world.store.incidents({ limit: 1000 });
        const acted = entries.filter(({ kind }) => kind === "target.attempted");
        // One plan an incident: after an act it is only verified.
        for (const { id } of incidents) {
          expect(
            new Set(acted.filter(({ incidentId }) => incidentId === id).map(({ planId }) => planId)).size,
          ).toBeLessThanOrEqual(1);
        }
        // No plan runs twice, none after a person's no, and none of which the record knows nothing.
        expect(new Set(world.targets.calls()).size).toBe(world.targets.calls().length);
        const refused = entries.filter(({ kind }) => kind === "approval.rejected");
        for (const { planId, seq } of refused) {
          expect(acted.some((entry) => entry.planId === planId && entry.seq > seq)).toBe(false);
        }
        expect(acted).toHaveLength(world.targets.calls().length);
        // Every incident that was said stands in the ledger, open or closed with an outcome.
        const said = new Set(
          world.events.flatMap(({ event, incident }) =>
            event === "incident.detected" && incident ? [incident.id] : [],
          ),
        );
        expect(new Set(incidents.map(({ id }) => id))).toEqual(said);
        for (const incident of incidents) expect(isWhole(incident)).toBe(true);
        const open = incidents.filter(({ stage }) => stage !== "closed").map(({ id }) => id);
        expect(
          world.watch
            .open()
            .map(({ id }) => id)
            .sort(),
        ).toEqual(open.sort());
        expect(await world.store.verify()).toMatchObject({ ok: true });
        expect(world.texts("tick.failed")).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });

  it("S7: in observe nothing is ever tried", async () => {
    await fc.assert(
      fc.asyncProperty(story, async (happenings) => {
        await using world = await openWatchWorld({ config: { mode: "observe" } });
        for (const what of happenings) await happen(world, what);
        expect(world.targets.calls()).toEqual([]);
        expect(await world.kinds()).not.toContain("plan.reserved");
      }),
      { numRuns: 40 },
    );
  });

  it("where a person must agree, nothing is tried without a recorded approval of that plan", async () => {
    await fc.assert(
      fc.asyncProperty(story, async (happenings) => {
        await using world = await openWatchWorld({ config: { mode: "approve" } });
        for (const what of happenings) await happen(world, what);
        const entries = await world.store.entries();
        const approved = new Map(
          entries.filter(({ kind }) => kind === "approval.given").map(({ planId, seq }) => [planId, seq] as const),
        );
        for (const { planId, seq } of entries.filter(({ kind }) => kind === "target.attempted")) {
          expect(approved.get(planId)).toBeLessThan(seq);
        }
      }),
      { numRuns: 40 },
    );
  });

  it("calm always ends it: with nothing wrong and verification answered, every incident is closed", async () => {
    await fc.assert(
      fc.asyncProperty(story, async (happenings) => {
        await using world = await openWatchWorld();
        for (const what of happenings) await happen(world, what);
        world.troubles = [];
        world.recovery = "recovered";
        await world.step(15);
        const incidents = await world.store.incidents({ limit: 1000 });
        expect(incidents.filter(({ stage }) => stage !== "closed")).toEqual([]);
      }),
      { numRuns: 40 },
    );
  });
});

/** Open without an outcome, or closed with one. */
function isWhole({ stage, outcome, closedAt }: Incident): boolean {
  return stage === "closed" ? outcome !== null && closedAt !== null : outcome === null && closedAt === null;
}
