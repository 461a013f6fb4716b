import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Incident, isResidual } from "../../../core/model/incident.ts";
import { targetOf } from "../../core/guardrails/rule-inputs.ts";
import { ALICE_TOKEN } from "../../mcp-tools/gate/gate-world.ts";
import type { Trouble } from "./trouble.ts";
import { openWatchWorld, type WatchWorld } from "./watch-world.ts";

/** One of these, the first ones more often: most stories should get to where something is executed or refused. */
const mostly = <const T>(...values: readonly T[]): fc.Arbitrary<T> =>
  fc.oneof(...values.map((value, index) => ({ weight: 2 ** (values.length - index), arbitrary: fc.constant(value) })));
const only = <T extends string>(kind: T) => fc.constant({ kind } as const);

/** What may happen to a watch and its system. */
const happening = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant("trouble" as const),
      condition: mostly("firing", "pending", "silent", "none"),
      policy: mostly("auto_rollback", "human_review"),
      action: mostly("rollback", "no_action", "hotfix_recommendation"),
      needsPerson: mostly<readonly string[]>([], ["the impact is not known"]),
      noChangeProbability: mostly(0.02, 0.9),
    }),
  },
  { weight: 2, arbitrary: only("calm") },
  { weight: 2, arbitrary: only("restart") },
  { weight: 2, arbitrary: only("approve") },
  { weight: 2, arbitrary: only("reject") },
  { weight: 1, arbitrary: only("pause") },
  { weight: 2, arbitrary: only("resume") },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("recovery" as const),
      verdict: mostly("recovered", "pending", "not-recovered", "unknown"),
    }),
  },
  { weight: 2, arbitrary: only("redeploy") },
);
type Happening = typeof happening extends fc.Arbitrary<infer T> ? T : never;

/** How many looks follow it: some, or a quarter of an hour of them, which is a plan's whole life. */
const looks = fc.oneof(
  { weight: 5, arbitrary: fc.integer({ min: 0, max: 12 }) },
  { weight: 1, arbitrary: fc.constant(61) },
);

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

const story = fc.array(fc.tuple(happening, looks), { minLength: 3, maxLength: 14, size: "max" });

/** Plays a story to its end; returns the whole record. */
async function play(world: WatchWorld, happenings: readonly (readonly [Happening, number])[]) {
  for (const [what, count] of happenings) {
    await happen(world, what);
    await world.step(count);
  }
  return world.store.entries({ limit: 100_000 });
}

describe("whatever happens to a watch, in whatever order", () => {
  it("each incident executes at most one plan, nobody's no is overruled, and no incident is lost", async () => {
    await fc.assert(
      fc.asyncProperty(story, async (happenings) => {
        await using world = await openWatchWorld();
        const entries = await play(world, happenings);
        const incidents = await world.store.incidents({ limit: 1000 });
        const acted = entries.filter(({ kind }) => kind === "target.attempted");
        // One plan an incident: after an act it is only verified.
        for (const { id } of incidents) {
          expect(
            new Set(acted.filter(({ incidentId }) => incidentId === id).map(({ planId }) => planId)).size,
          ).toBeLessThanOrEqual(1);
        }
        // No plan runs twice, none after a person's no in its incident, and none of which the record knows nothing.
        expect(new Set(world.targets.calls()).size).toBe(world.targets.calls().length);
        const refused = entries.filter(({ kind }) => kind === "approval.rejected");
        for (const { incidentId, seq } of refused) {
          expect(acted.some((entry) => entry.incidentId === incidentId && entry.seq > seq)).toBe(false);
        }
        expect(acted).toHaveLength(world.targets.calls().length);
        // Every incident that was said stands in the ledger, open, or judged with an outcome.
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
        await play(world, happenings);
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
        const entries = await play(world, happenings);
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
        await play(world, happenings);
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
function isWhole(incident: Incident): boolean {
  const { stage, outcome, closedAt } = incident;
  if (stage === "closed") return outcome !== null && closedAt !== null;
  return closedAt === null && (outcome === null) !== isResidual(incident);
}
