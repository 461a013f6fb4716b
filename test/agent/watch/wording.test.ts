import { describe, expect, it } from "vitest";
import {
  decisionText,
  noticed,
  recoveryText,
  ruleNames,
  suspects,
  suspectsRoughly,
  verdictText,
} from "../../../agent/watch/wording.ts";
import type { Incident } from "../../../core/model/incident.ts";
import { firing } from "../../core/guardrails/rule-inputs.ts";
import { openWatchWorld } from "./watch-world.ts";

const rule = (verdict: "allow" | "require_approval" | "deny", reason: string) => ({ rule: "r", verdict, reason });
const check = (verdict: "recovered" | "not-recovered" | "unknown", because: string) =>
  ({ service: "checkout", metric: "error_rate", verdict, because }) as const;

describe("suspects that are news to a person", () => {
  const weighed = (...parts: readonly (readonly [string, number])[]) =>
    ({
      ranking: {
        candidates: parts.map(([changeId, probability]) => ({ changeId, probability })),
        noChangeProbability: 1 - parts.reduce((sum, [, probability]) => sum + probability, 0),
      },
    }) as unknown as Incident; // as: the part of an incident that is looked at
  const before = weighed(["a", 0.69], ["b", 0.02]);

  it.each<[string, Incident, boolean]>([
    ["a point more or less", weighed(["a", 0.71], ["b", 0.01]), false],
    ["another one far below the first", weighed(["a", 0.69], ["c", 0.02]), false],
    ["what became surer by a tenth", weighed(["a", 0.8]), true],
    ["another first", weighed(["b", 0.69]), true],
    ["nobody any more", weighed(), true],
  ])("%s", (_, now, isNews) => {
    expect(suspectsRoughly(now) !== suspectsRoughly(before)).toBe(isNews);
  });
});

describe("what the watch says", () => {
  it.each([
    [
      "an allowed plan",
      { verdict: "allow", rules: [rule("allow", "error_rate fires")] },
      "allowed: no rule is against it",
    ],
    [
      "a denied plan by its denials alone",
      {
        verdict: "deny",
        rules: [rule("allow", "a"), rule("require_approval", "b"), rule("deny", "c"), rule("deny", "c")],
      },
      "denied: c",
    ],
    [
      "a held plan by what holds it",
      {
        verdict: "require_approval",
        rules: [rule("require_approval", "b"), rule("allow", "a"), rule("require_approval", "d")],
      },
      "needs a person: b; d",
    ],
  ] as const)("%s", (_, { verdict, rules }, text) => {
    expect(verdictText({ verdict, rules: [...rules] })).toBe(text);
  });

  it("a review by the names of the rules that speak against the plan", () => {
    const rules = [rule("allow", "a"), rule("require_approval", "b"), { ...rule("deny", "c"), rule: "paused" }];
    expect(ruleNames({ verdict: "deny", rules })).toBe("denied, by r, paused");
    expect(ruleNames({ verdict: "allow", rules: [rule("allow", "a")] })).toBe("allowed: no rule is against it");
  });

  it("what was noticed, with metric and service, the policy's condition before a detector's finding", async () => {
    await using world = await openWatchWorld();
    world.troubles = [world.trouble({ condition: "none" }), world.trouble({ services: ["cart"] })];
    const file = await world.gather(world.time.now);
    const assessment = world.assess(file, ["checkout", "cart"]);
    const condition = { ...assessment.conditions[0], because: "now 31 %, beyond 5 % for 4m" };
    expect(noticed({ ...assessment, conditions: [] })).toBe("error_rate of checkout went from 0.1 % to 30 %");
    expect(noticed({ ...assessment, conditions: [{ ...firing(), ...condition }] })).toBe(
      "error_rate of cart is now 31 %, beyond 5 % for 4m",
    );
    expect(noticed({ ...assessment, conditions: [], findings: [], services: [] })).toBe(
      "something is wrong with a service",
    );
  });

  it.each([
    ["recovered", [check("recovered", ""), check("recovered", "")], "all 2 signals are back within baseline"],
    ["recovered", [check("recovered", "")], "its signal is back within baseline"],
    [
      "recovered",
      [{ ...check("recovered", ""), metric: "rollout" }, check("recovered", "")],
      "its signal is back within baseline",
    ],
    [
      "not-recovered",
      [check("recovered", ""), check("unknown", "too few requests"), check("not-recovered", "30 % is above 1 %")],
      "checkout error_rate: 30 % is above 1 % (and 1 more of 3 signals)",
    ],
    ["unknown", [], "nothing could be measured"],
  ] as const)("a verification that ended as %s", (verdict, checks, text) => {
    expect(recoveryText({ verdict, at: 0, checks: [...checks] })).toBe(text);
  });

  it("a decision in one clause with the two strongest reasons, and no certainty that there is not", async () => {
    await using world = await openWatchWorld();
    world.troubles = [world.trouble({ culprit: { changeId: "deploy-checkout", probability: 0.9999 } })];
    await world.step();
    const incident = await world.incident();
    const reasons = [
      { name: "prior", logOdds: 9, sentence: "deploys often break things" },
      { name: "timing", logOdds: 2, sentence: "onset 3s after the rollout started" },
      { name: "against", logOdds: -3, sentence: "its canary was fine" },
      { name: "logs", logOdds: 5, sentence: "a new error is its alone" },
      { name: "split", logOdds: 1, sentence: "it failed more than the version before" },
    ];
    const [candidate] = incident.ranking?.candidates ?? [];
    if (candidate === undefined || incident.ranking === null) throw new Error("the incident has no candidate");
    const told: Incident = {
      ...incident,
      ranking: { ...incident.ranking, noChangeProbability: 0.0001, candidates: [{ ...candidate, reasons }] },
    };
    expect(decisionText(told)).toBe(
      "roll back checkout v2 (> 99 %): a new error is its alone; onset 3s after the rollout started",
    );
    expect(suspects(told)).toBe("checkout v1 → v2 > 99 %, no change < 1 %");
  });

  it("no event of a whole incident is longer than three lines of a terminal", async () => {
    await using world = await openWatchWorld();
    world.troubles = [world.trouble()];
    await world.step();
    world.recovery = "recovered";
    await world.step();
    expect(world.events.length).toBeGreaterThan(5);
    for (const { event, text } of world.events)
      expect([event, text.length]).toEqual([event, Math.min(text.length, 240)]);
  });
});
