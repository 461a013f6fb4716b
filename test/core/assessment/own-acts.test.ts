import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { assess, createAssessor, episodes } from "../../../core/assessment/assessor.ts";
import { ownActs } from "../../../core/assessment/own-acts.ts";
import type { CaseFile } from "../../../core/model/assessment.ts";
import type { Change } from "../../../core/model/change.ts";
import { change, MINUTE, T0 } from "../correlation/fixtures.ts";
import { caseAt } from "./case-at.ts";
import { testConfig } from "./config.ts";
import { base, live } from "./trap.ts";
import { atS, createWorld, deploy, type Effect, type WorldOptions } from "./world.ts";

/** A bad deploy and our rollback of it; times in seconds after the watch starts. */
const undone = (service: string, badS: number, backS: number, takesS: number): readonly Partial<Change>[] => [
  deploy(service, badS, { id: "bad", from: "v1.0.0", to: "v2.0.0" }, takesS),
  deploy(service, backS, { id: "own", from: "v2.0.0", to: "v1.0.0", ownRollback: true }, takesS),
];
const next = (service: string, startS: number, takesS: number): Partial<Change> =>
  deploy(service, startS, { id: "next", from: "v1.0.0", to: "v3.0.0" }, takesS);

/** A minute of trouble in a small live system, and what comes close behind the rollback. */
const BACK = 40;
const DONE = 44;
const closeBehind = (gapS: number, effects: readonly Effect[] = []): WorldOptions => ({
  ...live,
  historyS: 120,
  minutes: 3,
  changes: [...undone("stock", 20, BACK, DONE - BACK), next("stock", DONE + gapS, 4)],
  effects: [{ service: "stock", fromS: 22, toS: DONE, errors: 0.35 }, ...effects],
});
const again = (gapS: number): Effect => ({ service: "stock", fromS: DONE + gapS + 1, errors: 0.35 });
const CONFIG = testConfig({ watch: { stepMs: 1000 } });
const judged = async (options: WorldOptions, seconds: number) => assess(await caseAt(options, seconds), CONFIG);
const worse = ({ findings }: CaseFile) => findings.filter(({ verdict }) => verdict === "worse");

describe("own acts", () => {
  const own = change({ id: "own", from: "v2", to: "v1", startedAt: T0, finishedAt: T0 + MINUTE, ownRollback: true });
  const bad = change({ id: "bad", from: "v1", to: "v2", startedAt: T0 - MINUTE, finishedAt: T0 - 1 });
  it.each([
    ["know when what they undid began", [bad, own], [T0 - MINUTE]],
    ["are acts as well where what they undid is forgotten", [own], [null]],
    ["count once they are complete", [bad, { ...own, finishedAt: null }], []],
    ["are ours alone", [bad, { ...own, ownRollback: false }], []],
  ] as const)("%s", (_, changes, began) => {
    expect(ownActs(changes).map((act) => act.began)).toEqual(began);
  });
});

describe("a second bad deploy close behind our rollback", () => {
  it.each([0, 1, 2, 5, 10, 30])(
    "%i s after it is the culprit, and the one that is gone is no suspect",
    async (gapS) => {
      const found = await judged(closeBehind(gapS, [again(gapS)]), DONE + gapS + 12);
      const { onset } = found.answers.identify_recent_deployments ?? {};
      expect(onset?.earliest).toBeGreaterThanOrEqual(atS(DONE));
      const ranking = found.answers.correlate_timing?.ranking;
      expect(ranking?.candidates.map(({ changeId }) => changeId)).toEqual(["next"]);
      expect(ranking?.candidates[0]?.probability).toBeGreaterThan(0.8);
      const told = ranking?.noChangeReasons.map(({ sentence }) => sentence) ?? [];
      expect(told.some((sentence) => sentence.includes("is no suspect: unship's own rollback"))).toBe(true);
    },
  );

  it("is judged the same by whoever starts afresh and whoever watched it come", async () => {
    const world = createWorld(closeBehind(2, [again(2)]));
    const watching = createAssessor({ sources: world.sources, config: CONFIG });
    const { signal } = new AbortController();
    for (let s = 0; s <= DONE + 14; s++) {
      world.now = atS(s);
      await watching.tick(world.now, signal);
    }
    const fresh = createAssessor({ sources: world.sources, config: CONFIG });
    const [a, b] = [await watching.gather(world.now, signal), await fresh.gather(world.now, signal)];
    expect(assess(a, CONFIG).decision).toEqual(assess(b, CONFIG).decision);
  });

  it("at fifteen seconds a step, is the culprit as well", async () => {
    const changes = [...undone("pay", 300, 480, 60), next("pay", 570, 60)];
    const effects = [
      { service: "pay", fromS: 310, toS: 540, errors: 0.3 },
      { service: "pay", fromS: 585, errors: 0.3 },
    ];
    const found = assess(await caseAt({ ...base, changes, effects }, 690), testConfig());
    expect(found.answers.correlate_timing?.ranking.candidates[0]).toMatchObject({ changeId: "next" });
    expect(found.answers.identify_recent_deployments?.onset?.earliest).toBeGreaterThanOrEqual(atS(540));
  });
});

describe("an innocent deploy close behind our rollback", () => {
  it.each([0, 2, 6])("%i s after it: nothing is in trouble any more, though the tests still alarm", async (gapS) => {
    for (const s of [DONE + 1, DONE + 3, DONE + 6, DONE + 12]) {
      const file = await caseAt(closeBehind(gapS), s);
      expect([s, worse(file).map(({ because }) => because)]).toEqual([s, []]);
      expect([s, episodes(file)]).toEqual([s, []]);
    }
  });

  it("is not blamed for trouble that our rollback did not end", async () => {
    // Somebody else's fault: it began with the version that we took back, and goes on after it.
    const options = closeBehind(20, [{ service: "stock", fromS: DONE, errors: 0.35 }]);
    const found = await judged(options, DONE + 40);
    expect(found.decision.action).toBe("no_action");
    expect(found.decision.culprit?.changeId ?? null).not.toBe("bad");
    expect(found.answers.identify_recent_deployments?.onset?.at).toBeLessThan(atS(DONE + 5));
  });

  it("is not blamed for trouble of a caller that is older than what we took back", async () => {
    const older: Effect = { service: "web", fromS: 5, latency: 8, spread: 0 };
    const file = await caseAt(closeBehind(4, [older]), DONE + 20);
    const slow = worse(file).filter(({ service, metric }) => service === "web" && metric.endsWith("latency"));
    expect(slow.length).toBeGreaterThan(0);
    for (const { onset } of slow) expect(onset?.latest).toBeLessThan(atS(20));
  });
});

describe("trouble after our rollback", () => {
  it("never has an onset before the rollback was in effect, and never an innocent earlier version as its culprit", async () => {
    const story = fc.record({
      gapS: fc.integer({ min: 0, max: 40 }),
      waitS: fc.integer({ min: 1, max: 25 }),
      errors: fc.double({ min: 0, max: 0.6, noNaN: true }),
      seed: fc.integer({ min: 1, max: 999 }),
    });
    await fc.assert(
      fc.asyncProperty(story, async ({ gapS, waitS, errors, seed }) => {
        const options = { ...closeBehind(gapS, [{ ...again(gapS), errors }]), seed };
        const file = await caseAt(options, DONE + gapS + waitS);
        for (const { service, onset } of worse(file))
          expect([service, onset?.earliest]).toEqual([service, expect.toSatisfy((at) => at >= atS(DONE))]);
        const { decision, answers } = assess(file, CONFIG);
        const ids = answers.correlate_timing?.ranking.candidates.map(({ changeId }) => changeId) ?? [];
        expect(ids.filter((id) => id !== "next")).toEqual([]);
        expect(decision.changeIds.filter((id) => id !== "next")).toEqual([]);
      }),
      { numRuns: 15 },
    );
  });
});
