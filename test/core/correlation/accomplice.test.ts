import { describe, expect, it } from "vitest";
import { assess } from "../../../core/assessment/assessor.ts";
import { rankCandidates } from "../../../core/correlation/rank.ts";
import type { CaseFile } from "../../../core/model/assessment.ts";
import { caseAt } from "../assessment/case-at.ts";
import { testConfig } from "../assessment/config.ts";
import { base } from "../assessment/trap.ts";
import { atS, deploy, type WorldOptions } from "../assessment/world.ts";

const both = [deploy("stock", 300), deploy("cart", 305)];
const passedOn = { service: "stock", fromS: 310, errors: 0.3, rampS: 110, spread: 0.4 };
const ofItsOwn = { service: "cart", fromS: 315, errors: 0.3, rampS: 110, spread: 0.4 };
/** Errors of stock's new version, and of cart's two: how many cart's old version fails of its own requests. */
const versions = (freshCart: number, oldCart: number): NonNullable<WorldOptions["versions"]> => [
  {
    ...{ service: "stock", fromS: 300, toS: 420, old: "v1.0.0", fresh: "v1.1.0" },
    ...{ share: (s: number) => (s - 300) / 120, oldErrors: 0.002, freshErrors: 0.3 },
  },
  {
    ...{ service: "cart", fromS: 305, toS: 425, old: "v1.0.0", fresh: "v1.1.0" },
    ...{ share: (s: number) => (s - 305) / 120, oldErrors: oldCart, freshErrors: freshCart },
  },
];
const decided = async (options: WorldOptions, at = 425) => assess(await caseAt(options, at), testConfig()).decision;

describe("two changes that are guilty, each by itself", () => {
  const world = { ...base, changes: both, effects: [passedOn, ofItsOwn], versions: versions(0.4, 0.1) };

  it("go back together", async () => {
    const { action, changeIds, why } = await decided(world);
    expect(action).toBe("rollback");
    expect([...changeIds].sort()).toEqual(["deploy-cart-305", "deploy-stock-300"]);
    expect(why.join("\n")).toMatch(/is a culprit too: no callee accounts for \d+ % of what/);
  });

  it("go back together also where one is a push of configuration", async () => {
    const push = deploy("cart", 305, { id: "config-cart", kind: "config" });
    const { changeIds } = await decided({ ...world, changes: [deploy("stock", 300), push] });
    expect([...changeIds].sort()).toEqual(["config-cart", "deploy-stock-300"]);
  });

  it("are one hypothesis, counted under the surer of the two alone", async () => {
    const push = deploy("cart", 305, { id: "config-cart", kind: "config" });
    const file = await caseAt({ ...world, changes: [deploy("stock", 300), push] }, 425);
    const candidates = assess(file, testConfig()).answers.correlate_timing?.ranking.candidates ?? [];
    const joined = candidates.filter(({ reasons }) =>
      reasons.some((one) => one.name === "joined" && one.logOdds > 0.1),
    );
    expect(joined).toHaveLength(1);
    const alone = candidates.map(({ reasons }) =>
      reasons.reduce((sum, one) => sum + (one.name === "joined" ? 0 : one.logOdds), 0),
    );
    expect(candidates[alone.indexOf(Math.max(...alone))]).toBe(joined[0]);
    expect(candidates[0]?.probability).toBeGreaterThan(0.95);
  });

  it('are counted under the one that stands, once the other is taken back; "no change" gains and loses nothing by it', async () => {
    const file = await caseAt(world, 425);
    const { changes, at } = file;
    const onset = assess(file, testConfig()).answers.identify_recent_deployments?.onset;
    if (onset == null) throw new Error("nothing is worse");
    const focus = new Set(["stock", "cart", "gateway", "web"]);
    const ranked = (more: CaseFile["changes"]) =>
      rankCandidates({ ...file, changes: [...changes, ...more] }, changes, onset, focus, {
        ...{ versionLabel: testConfig().versionLabel, windowMs: 1_800_000 },
      });
    const before = ranked([]);
    const chance = ({ candidates }: typeof before, id: string) =>
      candidates.find(({ changeId }) => changeId === id)?.probability ?? 0;
    for (const gone of changes) {
      const undone = { from: gone.to, to: gone.from, startedAt: at, finishedAt: null, ownRollback: true };
      const after = ranked([{ ...gone, id: "back", ...undone }]);
      const stands = changes.find(({ id }) => id !== gone.id)?.id ?? "";
      expect(after.noChangeProbability).toBeCloseTo(before.noChangeProbability, 9);
      expect(after.candidates[0]?.changeId).toBe(stands);
      expect(chance(after, stands)).toBeGreaterThanOrEqual(chance(before, stands));
    }
  });
});

describe("a change that met the guilty one in the same seconds", () => {
  const push = deploy("cart", 305, { id: "config-cart", kind: "config" });
  const world = {
    ...base,
    changes: [deploy("stock", 300), push],
    effects: [passedOn, ofItsOwn],
    versions: versions(0.4, 0.1),
  };
  const waits = async (at: number) =>
    (await decided(world, at)).why.join().includes("whether config of cart v1.0.0 → v1.1.0 is a culprit too");

  it("is waited for while how the failures grow can still tell whether it is guilty too", async () => {
    expect(await waits(345)).toBe(true);
  });

  it("is waited for no longer once the guilty one's rollout is over", async () => {
    expect(await waits(470)).toBe(false);
  });

  it("is not waited for where its service does not ask the guilty one's", async () => {
    const apart = { ...world, changes: [deploy("stock", 300), { ...push, service: "checkout" }] };
    expect((await decided(apart, 345)).why.join()).not.toContain("is a culprit too will show");
  });
});

describe("a change that was made at the same time as the guilty one stays", () => {
  const cases: readonly (readonly [string, WorldOptions])[] = [
    [
      "where its service fails what its callee fails, both versions alike",
      { ...base, changes: both, effects: [passedOn], versions: versions(0.12, 0.12) },
    ],
    [
      "where its service only passes failures on and nothing tells versions",
      { ...base, changes: both, effects: [passedOn] },
    ],
    [
      "where its service is well",
      { ...base, changes: [deploy("stock", 300), deploy("checkout", 305)], effects: [passedOn] },
    ],
    [
      "where it is made after the degradation began",
      {
        ...base,
        changes: [deploy("stock", 300), deploy("cart", 400)],
        effects: [passedOn, { ...ofItsOwn, fromS: 316 }],
      },
    ],
    [
      "where it is a flag and the guilty one a deploy: one plan takes one action",
      {
        ...base,
        changes: [
          deploy("stock", 300),
          deploy("cart", 305, { id: "flag", kind: "flag", flag: "fast", from: "off", to: "on", finishedAt: atS(305) }),
        ],
        effects: [passedOn, ofItsOwn],
        versions: versions(0.4, 0.1),
      },
    ],
  ];
  it.each(cases)("%s", async (_, options) => {
    expect((await decided(options)).changeIds.length).toBeLessThan(2);
  });
});
