import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { assess } from "../../../core/assessment/assessor.ts";
import { withoutTakenBack } from "../../../core/assessment/taken-back.ts";
import type { Change } from "../../../core/model/change.ts";
import type { Decision } from "../../../core/model/decision.ts";
import { change, emptyCase, MINUTE, T0 } from "../correlation/fixtures.ts";
import { caseAt } from "./case-at.ts";
import { testConfig } from "./config.ts";
import { rollbackOf } from "./rollback-decision.ts";
import { base } from "./trap.ts";
import { deploy } from "./world.ts";

const bad = change({ id: "bad", from: "v1", to: "v2" });
const back = (replaced: Partial<Change> = {}) =>
  change({ id: "back", from: "v2", to: "v1", startedAt: T0 + 5 * MINUTE, finishedAt: T0 + 6 * MINUTE, ...replaced });
const rollback = rollbackOf("cart", "bad", 0.93);
const aHotfix = {
  ...{ changeId: "bad", commitRange: null, suspects: [], owner: null },
  ...{ whyNoRollback: "one way", mitigation: "fix it", check: "look" },
};
const judged = (changes: readonly Change[], decision = rollback) =>
  withoutTakenBack(decision, emptyCase({ changes: [bad, ...changes] }));

describe("a decision to undo a change", () => {
  const rows: readonly (readonly [string, readonly Change[], string | null])[] = [
    ["stands while the change serves", [], null],
    [
      "is none once we have undone it",
      [back({ ownRollback: true })],
      "cart v1 → v2 is already rolled back, by unship's own rollback of",
    ],
    [
      "is none while we are undoing it",
      [back({ ownRollback: true, finishedAt: null })],
      "cart v1 → v2 is being rolled back, by unship's own rollback of",
    ],
    ["is none once people have undone it", [back()], "cart v1 → v2 is already rolled back, by cart v2 → v1 of"],
    ["stands where people went forward: whether that helps is not known", [back({ to: "v3" })], null],
    ["stands where another service went back", [back({ service: "pay" })], null],
    ["stands where the way back lies in the future", [back({ startedAt: T0 + 30 * MINUTE })], null],
  ];
  it.each(rows)("%s", (_, changes, why) => {
    const decision = judged(changes);
    if (why === null) return expect(decision).toEqual(rollback);
    expect(decision).toMatchObject({ action: "no_action", changeIds: [] });
    expect(decision.why[0]).toContain(why);
    expect(decision.needsPerson[0]).toContain("its cause lies elsewhere");
  });

  it("goes on with what is left of its set", () => {
    const other = change({ id: "other", service: "pay" });
    const decision = { ...rollback, culprit: { changeId: "other", probability: 0.9 }, changeIds: ["bad", "other"] };
    const kept = judged([other, back({ ownRollback: true })], decision);
    expect(kept).toMatchObject({
      action: "rollback",
      culprit: decision.culprit,
      changeIds: ["other"],
      needsPerson: [],
    });
    expect(kept.why.at(-1)).toContain("cart v1 → v2 is already rolled back");
  });

  it("recommends no hotfix for it either", () => {
    const hotfix: Decision = { ...rollback, action: "hotfix_recommendation", changeIds: [] };
    expect(judged([back({ ownRollback: true })], hotfix)).toMatchObject({ action: "no_action", hotfix: null });
  });
});

describe("a decision to undo several changes", () => {
  const drawn = fc
    .uniqueArray(fc.constantFrom("cart", "pay", "stock", "web", "mail"), { minLength: 1 })
    .chain((services) =>
      fc.record({
        services: fc.constant(services),
        back: fc.subarray(services),
        how: fc.constantFrom<Partial<Change>>({ ownRollback: true }, { ownRollback: true, finishedAt: null }, {}),
        culprit: fc.constantFrom(...services),
        sure: fc.subarray(services),
        action: fc.constantFrom<Decision["action"]>("rollback", "hotfix_recommendation"),
      }),
    );
  it("names what stands alone, in its order, and is none only where nothing sure stands", () => {
    const seen = { whole: 0, less: 0, none: 0 };
    fc.assert(
      fc.property(drawn, ({ services, back: gone, how, culprit, sure, action }) => {
        const undone = gone.map((service) => back({ ...how, id: `back-${service}`, service }));
        const changes = [
          ...services.map((service) => change({ id: service, service, from: "v1", to: "v2" })),
          ...undone,
        ];
        const hotfix = action === "rollback" ? null : { ...aHotfix, changeId: culprit, changeIds: services };
        const changeIds = action === "rollback" ? services : [];
        const before = { ...rollbackOf(culprit, culprit, 0.9), action, changeIds, hotfix };
        const weighed = sure.map((changeId, index) => ({ changeId, probability: 0.99 - index / 100 }));
        const after = withoutTakenBack(before, emptyCase({ changes }), weighed);
        const left = services.filter((id) => !gone.includes(id));
        if (gone.length === 0) {
          seen.whole += 1;
          expect(after).toBe(before);
          return;
        }
        const named = [...after.changeIds, ...(after.hotfix?.changeIds ?? [])];
        const spoken = (text: string) =>
          services.filter((id) => new RegExp(`\\b${id} (is (?:being|already)|to)`).test(text));
        if (after.action === "no_action") {
          seen.none += 1;
          expect(named).toEqual([]);
          expect(gone).toContain(culprit);
          expect(spoken(after.needsPerson.join()).every((id) => gone.includes(id))).toBe(true);
          if (left.length > 0) expect(after.needsPerson.join()).not.toContain("lies elsewhere");
          if (action === "rollback") expect(left.filter((id) => sure.includes(id))).toEqual([]);
          return;
        }
        seen.less += 1;
        expect(named).toEqual(left);
        expect(left).toContain(after.culprit?.changeId);
        if (!gone.includes(culprit)) expect(after.culprit).toEqual(before.culprit);
        expect(after.needsPerson).toEqual(before.needsPerson);
      }),
      { numRuns: 500, seed: 3 },
    );
    expect(Math.min(...Object.values(seen))).toBeGreaterThan(20);
  });
});

describe("three siblings that went out together, some of them broken", () => {
  const names = ["red", "green", "blue"] as const;
  const services = {
    web: { rate: 200 },
    red: { rate: 60 },
    green: { rate: 60 },
    blue: { rate: 60 },
    db: { rate: 150 },
  };
  const edges = names.flatMap((name) => [["web", name] as const, [name, "db"] as const]);
  const drawn = fc.record({
    bad: fc.shuffledSubarray([...names], { minLength: 2 }),
    goneCount: fc.constantFrom(1, 2),
    by: fc.constantFrom<Partial<Change>>({ ownRollback: true }, { author: "ann" }),
    seed: fc.integer({ min: 1, max: 1000 }),
    atS: fc.constantFrom(450, 525, 600),
  });

  it("have every broken one undone, whichever were taken back before, and none twice", async () => {
    await fc.assert(
      fc.asyncProperty(drawn, async ({ bad, goneCount, by, seed, atS: s }) => {
        const gone = bad.slice(0, Math.min(goneCount, bad.length - 1));
        const left = bad.slice(gone.length).toSorted();
        const isGone = (name: string) => gone.some((one) => one === name);
        const versions = bad.map((service) => ({
          ...{ service, fromS: 300, toS: isGone(service) ? 375 : 900, old: "v1.0.0", fresh: "v1.1.0" },
          ...{ share: (at: number) => Math.min(0.9, (at - 300) / 120), oldErrors: 0.002, freshErrors: 0.3 },
        }));
        const effects = bad.map((service) => ({
          ...{ service, fromS: 305, errors: 0.27, rampS: 110, spread: 0.3 },
          ...(isGone(service) ? { toS: 375 } : {}),
        }));
        const undone = gone.map((service) =>
          deploy(service, 345, { ...by, id: `back-${service}`, from: "v1.1.0", to: "v1.0.0" }, 30),
        );
        const changes = [
          ...names.map((service, index) => deploy(service, 300 + 3 * index, { id: service })),
          ...undone,
        ];
        const file = await caseAt({ services, edges, changes, effects, versions, seed }, s);
        const { decision } = assess(file, testConfig(), left);
        expect([decision.action, [...decision.changeIds].sort()]).toEqual(["rollback", left]);
        expect(left).toContain(decision.culprit?.changeId);
      }),
      { numRuns: 25, seed: 5 },
    );
  }, 120_000);
});

describe("a service that jitters beside a rollback", () => {
  it("is never a reason to undo once more what was just undone", async () => {
    const changes = [
      deploy("pay", 300, { id: "bad", from: "v1", to: "v2" }),
      deploy("pay", 450, { id: "own", from: "v2", to: "v1", ownRollback: true, finishedAt: null }),
    ];
    const effects = [
      { service: "pay", fromS: 310, errors: 0.4, spread: 1 },
      { service: "stock", fromS: 330, latency: 2.5, spread: 0 },
    ];
    for (const s of [465, 480, 510]) {
      const file = await caseAt({ ...base, changes, effects }, s);
      for (const service of ["stock", "cart", "pay", "checkout"]) {
        const { decision, targets } = assess(file, testConfig(), [service]);
        expect([service, decision.action, decision.changeIds]).toEqual([service, "no_action", []]);
        expect(targets).toEqual([]);
      }
    }
  });
});
