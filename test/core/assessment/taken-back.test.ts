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
const judged = (changes: readonly Change[], decision = rollback) =>
  withoutTakenBack(decision, emptyCase({ changes: [bad, ...changes] }));

describe("a decision to undo a change", () => {
  const rows: readonly (readonly [string, readonly Change[], string | null])[] = [
    ["stands while the change serves", [], null],
    [
      "is none once we have undone it",
      [back({ ownRollback: true })],
      "bad is already taken back, by our own rollback of",
    ],
    [
      "is none while we are undoing it",
      [back({ ownRollback: true, finishedAt: null })],
      "bad is being taken back, by our own rollback of",
    ],
    ["is none once people have undone it", [back()], "bad is already taken back, by back of"],
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

  it("is none where any change of its set has been taken back", () => {
    const other = change({ id: "other", service: "pay" });
    const decision = { ...rollback, culprit: { changeId: "other", probability: 0.9 }, changeIds: ["bad", "other"] };
    expect(judged([other, back({ ownRollback: true })], decision).action).toBe("no_action");
  });

  it("recommends no hotfix for it either", () => {
    const hotfix: Decision = { ...rollback, action: "hotfix_recommendation", changeIds: [] };
    expect(judged([back({ ownRollback: true })], hotfix)).toMatchObject({ action: "no_action", hotfix: null });
  });
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
