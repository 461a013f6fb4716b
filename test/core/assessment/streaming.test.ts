import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { assess, createAssessor } from "../../../core/assessment/assessor.ts";
import type { CaseFile } from "../../../core/model/assessment.ts";
import { testConfig } from "./config.ts";
import { base, live, shop } from "./trap.ts";
import { createWorld, deploy, type WorldOptions } from "./world.ts";

const slow = ["web", "cart"].map((service) => ({ service, fromS: 50, toS: 70, latency: 2.5, spread: 0 }));
const WORLDS: readonly (readonly [name: string, options: WorldOptions, untilS: number])[] = [
  [
    "a deploy that fails requests, every second",
    { ...live, changes: [deploy("stock", 55, {}, 15)], effects: [{ service: "stock", fromS: 58, errors: 0.3 }] },
    90,
  ],
  [
    "a deploy that fails requests while others are slow",
    {
      ...live,
      changes: [deploy("stock", 55, {}, 15)],
      effects: [{ service: "stock", fromS: 58, errors: 0.3 }, ...slow],
    },
    90,
  ],
  [
    "a leak while others are slow",
    {
      ...live,
      changes: [deploy("stock", 20, {}, 5)],
      effects: [{ service: "stock", fromS: 25, leak: 0.4, spread: 0 }, ...slow],
    },
    90,
  ],
  [
    "samples of a quarter of a minute, with a gap",
    {
      ...base,
      services: shop,
      historyS: 1800,
      gap: [330, 375],
      changes: [deploy("cart", 300)],
      effects: [{ service: "cart", fromS: 310, errors: 0.3, rampS: 60 }],
    },
    480,
  ],
];

/** The case at the end for somebody who looked in at these distances, in steps; at the end alone where there are none. */
async function caseOf(options: WorldOptions, untilS: number, distances: readonly number[]): Promise<CaseFile> {
  const world = createWorld(options);
  const assessor = createAssessor({ sources: world.sources, config: testConfig({ watch: { stepMs: world.stepMs } }) });
  const { signal } = new AbortController();
  const steps = Math.round((untilS * 1000) / world.stepMs);
  for (let i = 0, turn = 0; i < steps && distances.length > 0; turn++) {
    world.now = world.startAt + i * world.stepMs;
    await assessor.tick(world.now, signal);
    i += distances[turn % distances.length] ?? 1;
  }
  world.now = world.startAt + untilS * 1000;
  return assessor.gather(world.now, signal);
}

describe("whoever saw each sample come and whoever reads them all at once", () => {
  it.each(WORLDS)("find the same worse and name the same change: %s", async (_name, options, untilS) => {
    const distances = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 1000 }), distances, async (seed, turns) => {
        const streaming = await caseOf({ ...options, seed }, untilS, turns);
        const fresh = await caseOf({ ...options, seed }, untilS, []);
        const worse = ({ findings }: CaseFile) => findings.filter(({ verdict }) => verdict === "worse");
        expect(worse(fresh).length).toBeGreaterThan(0);
        expect(worse(streaming)).toEqual(worse(fresh));
        const [was, is] = [assess(streaming, testConfig()), assess(fresh, testConfig())];
        expect(was.decision.action).toBe(is.decision.action);
        const ranked = ({ answers }: typeof was) => answers.correlate_timing?.ranking.candidates ?? [];
        expect(ranked(was).map(({ changeId }) => changeId)).toEqual(ranked(is).map(({ changeId }) => changeId));
        for (const [i, { probability }] of ranked(was).entries())
          expect(probability).toBeCloseTo(ranked(is)[i]?.probability ?? Number.NaN, 3);
      }),
      { numRuns: 6 },
    );
  });
});
