import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { assess } from "../../../core/assessment/assess.ts";
import type { Assessment, CaseFile } from "../../../core/model/assessment.ts";
import type { Onset } from "../../../core/model/finding.ts";
import { caseAt } from "./case-at.ts";
import { testConfig } from "./config.ts";
import { base, shop } from "./trap.ts";
import { deploy, type WorldOptions } from "./world.ts";

const config = testConfig();
const names = Object.keys(shop);

/** A shop in which one service fails, is slow, or is well, after deploys of its own and of others. */
const trouble = fc
  .record({
    seed: fc.integer({ min: 1, max: 1e6 }),
    service: fc.constantFrom(...names),
    errors: fc.constantFrom(0, 0.05, 0.4),
    latency: fc.constantFrom(1, 4),
    decoy: fc.constantFrom(...names),
    changed: fc.boolean(),
    seconds: fc.constantFrom(360, 420, 600),
  })
  .map(({ seed, service, errors, latency, decoy, changed, seconds }) => {
    const changes = [...(changed ? [deploy(service, 300)] : []), deploy(decoy, 240)];
    const world: WorldOptions = {
      ...base,
      seed,
      changes: [...new Map(changes.map((one) => [one.service, one])).values()],
      effects: [{ service, fromS: 310, errors, latency }],
    };
    return { world, seconds };
  });

const decided = (caseFile: CaseFile) => {
  const { decision, services, answers, unverified }: Assessment = assess(caseFile, config);
  const candidates = answers.correlate_timing?.ranking.candidates ?? [];
  return {
    action: decision.action,
    automatic: decision.automatic,
    changes: [...decision.changeIds].sort(),
    culprit: decision.culprit?.changeId ?? null,
    services: [...services].sort(),
    probabilities: new Map(candidates.map(({ changeId, probability }) => [changeId, probability])),
    person: decision.needsPerson,
    why: decision.why,
    unverified,
  };
};
const close = (probabilities: ReadonlyMap<string, number>) =>
  new Map([...probabilities].map(([id, probability]) => [id, expect.closeTo(probability, 6)]));

/** The same case with other names for its services, wherever they stand. */
function renamed<T>(value: T, to: ReadonlyMap<string, string>): T {
  const pattern = new RegExp(`\\b(${[...to.keys()].join("|")})\\b`, "g");
  return JSON.parse(JSON.stringify(value).replaceAll(pattern, (name) => to.get(name) ?? name));
}

const later = (onset: Onset, by: number): Onset => ({
  at: onset.at + by,
  earliest: onset.earliest + by,
  latest: onset.latest + by,
});

/** The same case at another time. */
function moved(caseFile: CaseFile, by: number): CaseFile {
  return {
    ...caseFile,
    at: caseFile.at + by,
    series: caseFile.series.map((one) => ({ ...one, startAt: one.startAt + by })),
    findings: caseFile.findings.map((one) => ({
      ...one,
      detectedAt: one.detectedAt + by,
      onset: one.onset && later(one.onset, by),
    })),
    conditions: caseFile.conditions.map((one) => ({
      ...one,
      since: one.since && one.since + by,
      firesAt: one.firesAt && one.firesAt + by,
    })),
    changes: caseFile.changes.map((one) => ({
      ...one,
      startedAt: one.startedAt + by,
      finishedAt: one.finishedAt && one.finishedAt + by,
    })),
    logs: caseFile.logs.map((one) => ({ ...one, at: one.at + by })),
  };
}

describe("whatever is wrong with the shop", () => {
  it("other names for its services change the names in the decision alone", async () => {
    const other = ["alpha", "beta", "gamma", "delta", "zeta", "omega"];
    await fc.assert(
      fc.asyncProperty(trouble, fc.shuffledSubarray(other, { minLength: 6 }), async ({ world, seconds }, [...to]) => {
        const map = new Map(names.map((name, i) => [name, to[i] ?? name]));
        const caseFile = await caseAt(world, seconds);
        const was = renamed({ ...decided(caseFile), probabilities: [] }, map);
        const is = decided(renamed(caseFile, map));
        expect({ ...is, probabilities: [], changes: is.changes, why: [], person: [], unverified: [] }).toEqual({
          ...was,
          changes: [...was.changes].sort(),
          services: [...was.services].sort(),
          why: [],
          person: [],
          unverified: [],
        });
      }),
      { numRuns: 12 },
    );
  });

  it("another week changes no decision and no probability", async () => {
    await fc.assert(
      fc.asyncProperty(trouble, fc.integer({ min: -20, max: 500 }), async ({ world, seconds }, weeks) => {
        const caseFile = await caseAt(world, seconds);
        const was = decided(caseFile);
        const is = decided(moved(caseFile, weeks * 7 * 86_400_000));
        expect({ ...is, why: [] }).toEqual({ ...was, probabilities: close(was.probabilities), why: [] });
      }),
      { numRuns: 12 },
    );
  });

  it("a service that has nothing to do with it changes no decision, whether it was deployed just now or not", async () => {
    await fc.assert(
      fc.asyncProperty(trouble, fc.boolean(), fc.integer({ min: 20, max: 300 }), async (one, changed, at) => {
        const { world, seconds } = one;
        const was = decided(await caseAt(world, seconds));
        const more: WorldOptions = {
          ...world,
          services: { ...world.services, kiosk: { rate: 30 }, printer: { rate: 20 } },
          edges: [...(world.edges ?? []), ["kiosk", "printer"]],
          changes: [...(world.changes ?? []), ...(changed ? [deploy("printer", at)] : [])],
        };
        const is = decided(await caseAt(more, seconds));
        const told = ({ action, automatic, changes, services }: typeof is) => ({
          action,
          automatic,
          changes,
          services,
        });
        expect(told(is)).toEqual(told(was));
      }),
      { numRuns: 12 },
    );
  });

  it("what falls silent becomes unknown, never well: nothing is said to be over, and people are asked", async () => {
    await fc.assert(
      fc.asyncProperty(trouble, fc.integer({ min: 330, max: 400 }), async ({ world }, from) => {
        const silent = await caseAt({ ...world, gap: [from, 1200] }, from + 300);
        const { findings } = silent;
        for (const name of names) {
          const own = findings.filter(({ service, labels }) => service === name && Object.keys(labels).length === 0);
          expect(own.some(({ verdict }) => verdict === "unknown")).toBe(true);
          expect(own.map(({ verdict }) => verdict)).not.toContain("no-worse");
        }
        for (const state of silent.conditions)
          if (names.includes(state.service) && state.text.includes(" > ")) expect(state.state).toBe("unknown");
        const { action, why } = assess(silent, config, names).decision;
        if (action === "no_action")
          expect(why.join(" ")).not.toMatch(/nothing is worse than its baseline|no test finds .* worse|is back at/);
      }),
      { numRuns: 12 },
    );
  });
});
