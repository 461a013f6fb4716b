import { describe, expect, it } from "vitest";
import { pastOutcomes } from "../../../core/correlation/past-outcomes.ts";
import { priorNats } from "../../../core/correlation/prior.ts";
import type { Change } from "../../../core/model/change.ts";
import type { Incident, OutcomeKind } from "../../../core/model/incident.ts";
import type { Target, TargetResult } from "../../../core/model/plan.ts";
import { change } from "./fixtures.ts";

type Closed = Pick<Incident, "outcome" | "gate" | "changes">;

/** An incident in which this change was acted on, and how that ended. */
function closed(outcome: OutcomeKind, changed: Partial<Change>, acted: Partial<Target & TargetResult> = {}): Closed {
  const seen = change(changed);
  const { result = "done", action = "kubectl_rollout_undo" } = acted;
  const object = { kind: "Deployment", namespace: "production", name: seen.service };
  const place = { object, expected: { version: "v2", revision: "2" }, restore: { version: "v1", revision: "1" } };
  const target = { ...place, action, service: seen.service, changeId: seen.id };
  const results = [{ target, result, detail: "", at: 0, warnings: [] }];
  const gate = { planId: "p", outcome: "executed", review: { verdict: "allow", rules: [] }, results, executedAt: 0 };
  return { outcome, gate: gate as Closed["gate"], changes: [seen] };
}
const counts = (incidents: readonly Closed[], healthy: readonly unknown[] = []) =>
  Object.fromEntries(pastOutcomes(incidents, healthy));

describe("what earlier incidents say of changes like one", () => {
  it.each([
    ["a deploy whose rollback brought recovery was bad", [closed("recovered", {})], { changes: 1, bad: 1 }],
    ["one whose rollback did not help was not", [closed("not-recovered", {})], { changes: 1, bad: 0 }],
    ["a rollback that nobody could judge says nothing", [closed("unknown", {})], undefined],
    ["a suspect that was never acted on says nothing", [closed("recovered", {}, { result: "refused" })], undefined],
    ["a pause rolls nothing back and says nothing", [closed("recovered", {}, { action: "rollout_pause" })], undefined],
    [
      "a change that two incidents speak of counts once, and as bad where either says so",
      [closed("recovered", {}), closed("not-recovered", {})],
      { changes: 1, bad: 1 },
    ],
    [
      "two changes count as two",
      [closed("recovered", { id: "a" }), closed("not-recovered", { id: "b" })],
      { changes: 2, bad: 1 },
    ],
  ])("%s", (_words, incidents, expected) => {
    expect(counts(incidents)["cart/deploy"]).toEqual(expected);
  });

  it("a later change that proved healthy counts as one that was not bad, by its kind", () => {
    const healthy = [
      { service: "cart", changeId: "c", kind: "config" },
      { service: "cart", changeId: "d" },
      { service: "cart", changeId: "e", kind: "nonsense" },
      { nothing: true },
      null,
    ];
    expect(counts([closed("recovered", {})], healthy)).toEqual({
      "cart/deploy": { changes: 2, bad: 1 },
      "cart/config": { changes: 1, bad: 0 },
    });
  });

  it("a switch that is in no list of changes any more is known by what was done to it", () => {
    const { gate, outcome } = closed("recovered", { id: "flag-1" }, { action: "feature_flag_disable" });
    expect(counts([{ gate, outcome, changes: [] }])).toEqual({ "cart/flag": { changes: 1, bad: 1 } });
  });
});

describe("the odds of a change before anything is seen", () => {
  const odds = (changed: Partial<Change>, seen?: { changes: number; bad: number }) =>
    priorNats(change(changed), [], new Map(seen === undefined ? [] : [[`cart/${changed.kind ?? "deploy"}`, seen]]));

  it.each([
    ["deploy", 1],
    ["migration", 1],
    ["config", 31 / 37],
    ["flag", 31 / 37],
  ] as const)("of a %s are %d of those of a deploy", (kind, times) => {
    expect(Math.exp(odds({ kind }) - odds({}))).toBeCloseTo(times, 9);
  });

  it.each([
    ["nothing is known", undefined, 1],
    ["one was bad", { changes: 1, bad: 1 }, 2 / 1.1],
    ["one of ten was bad, as is usual", { changes: 10, bad: 1 }, 1],
    ["ten in a row were sound", { changes: 10, bad: 0 }, 0.5],
    ["all of a hundred were bad: no more than e", { changes: 100, bad: 100 }, Math.E],
    ["none of a thousand was bad: no less than 1/e", { changes: 1000, bad: 0 }, 1 / Math.E],
  ])("where of such changes %s are %d times as high", (_words, seen, times) => {
    expect(Math.exp(odds({}, seen) - odds({}))).toBeCloseTo(times, 9);
  });
});
