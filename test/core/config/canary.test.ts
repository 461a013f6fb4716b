import { describe, expect, it } from "vitest";
import { loaded, problems, SOURCES } from "./fixtures.ts";

const file = (canary: string) => `${SOURCES}rollback_policies: {canary_analysis: {${canary}}}\n`;

describe("the configuration of canaries", () => {
  it("takes Kayenta's options in this file's spelling", () => {
    const text = file(
      "judge: kayenta, comparison_metrics: [error_rate], kayenta: {pass: 90, marginal: 60, group_weights: {web: 70}, metrics: {error_rate: {groups: [web], direction: increase, nan_strategy: replace, critical: true, effect_size: {allowed_increase: 1.2}, outliers: {strategy: remove}}}}",
    );
    expect(loaded(text).canary).toMatchObject({
      judge: "kayenta",
      kayenta: {
        pass: 90,
        marginal: 60,
        groupWeights: { web: 70 },
        metrics: {
          error_rate: {
            groups: ["web"],
            direction: "increase",
            nanStrategy: "replace",
            critical: true,
            effect: [1, 1.2],
            criticalEffect: [1, 1],
            outlierFactor: 3,
          },
        },
      },
    });
  });

  it("is judged by the sequential judge where it names none, and makes a policy of its own", () => {
    const config = loaded(file("auto_rollback_on_fail: true"));
    expect(config.canary?.judge).toBe("sequential");
    expect(config.policies).toEqual([
      { name: "canary_analysis", conditions: [], action: "rollback_immediate", notification: [] },
    ]);
    expect(loaded(file("enabled: false")).policies).toEqual([]);
  });

  it.each([
    ["options of a judge that is not chosen", "kayenta: {pass: 90}", "kayenta has no effect"],
    ["a confidence that nothing reaches", "minimum_confidence: 1", "is 1, which no measurement reaches"],
    ["a confidence of nothing", "minimum_confidence: 0", "is 0, with which anything passes"],
    [
      "a metric that is not compared",
      "judge: kayenta, comparison_metrics: [error_rate], kayenta: {metrics: {error_rat: {}}}",
      "error_rat is not among comparison_metrics",
    ],
    ["a weight of no group", "judge: kayenta, kayenta: {group_weights: {web: 50}}", "web is the group of no metric"],
    ["marginal above pass", "judge: kayenta, kayenta: {pass: 60}", "marginal is 75, above pass, which is 60"],
    [
      "weights beyond the whole",
      "judge: kayenta, kayenta: {group_weights: {all: 60, web: 50}, metrics: {error_rate: {groups: [web]}}}",
      "add up to 110",
    ],
  ])("refuses %s", (_, canary, complaint) => {
    expect(problems(file(canary))).toEqual([expect.stringContaining(complaint)]);
  });
});
