import { describe, expect, it } from "vitest";
import { consequenceOf, judgeCanary } from "../../../core/canary/judge.ts";
import type { CanaryInput, CanaryVerdict } from "../../../core/canary/model.ts";
import type { CanaryPolicy, KayentaMetric } from "../../../core/config/config.ts";
import { changed, SAMPLES, STEP, sideBySide, type Version, without } from "./versions.ts";

const policy: CanaryPolicy = {
  enabled: true,
  baselineDurationMs: SAMPLES * STEP,
  comparisonMetrics: ["error_rate", "p99_latency", "p50_latency", "memory_usage"],
  minimumConfidence: 0.95,
  autoPromoteOnPass: true,
  autoRollbackOnFail: true,
  judge: "kayenta",
  kayenta: { pass: 95, marginal: 75, groupWeights: {}, metrics: {} },
};
const withMetrics = (metrics: Readonly<Record<string, KayentaMetric>>): CanaryPolicy => ({
  ...policy,
  kayenta: { ...policy.kayenta, metrics },
});
const judge = (input: CanaryInput, how: CanaryPolicy = policy) => {
  const { metrics: _, ...rest } = input;
  const judgement = judgeCanary(rest, how);
  return { judgement, consequence: consequenceOf(judgement, how) };
};

describe("Kayenta's judge over two versions", () => {
  it.each<[string, Version, CanaryVerdict, number]>([
    ["passes a canary that is like the stable version", {}, "pass", 100],
    ["fails one that is slower and needs more memory", { p99: 400, memory: 1 }, "fail", 50],
    ["calls one bad metric of four marginal", { p99: 400 }, "marginal", 75],
  ])("%s", (_, canary, verdict, score) => {
    const { judgement } = judge(sideBySide(canary));
    expect([judgement.verdict, judgement.score]).toEqual([verdict, score]);
  });

  it("fails for a critical metric alone, and says which", () => {
    const { judgement } = judge(sideBySide({ p99: 400 }), withMetrics({ p99_latency: { critical: true } }));
    expect([judgement.verdict, judgement.score]).toEqual(["fail", 0]);
    expect(judgement.why.join("\n")).toContain("the critical metric p99_latency is High");
  });

  it("lets a change be that is smaller than what is allowed", () => {
    const { judgement } = judge(sideBySide({ p99: 400 }), withMetrics({ p99_latency: { effect: [0.5, 3] } }));
    expect(judgement.score).toBe(100);
  });

  it("looks once, at the end", () => {
    const input = sideBySide({ p99: 400, memory: 1 });
    expect(judge({ ...input, now: input.now - 3 * STEP }).judgement.verdict).toBe("continue");
  });
});

describe("what follows from a judgement", () => {
  const gone = (input: CanaryInput, ...names: string[]) =>
    changed(input, "canary", (series) => (names.includes(series.metric) ? null : series));
  const errors = { error_rate: { nanStrategy: "replace" as const } };
  const sequential = { ...policy, judge: "sequential" } as const;
  it.each<[string, CanaryInput, CanaryPolicy, string, RegExp]>([
    ["a pass promotes", sideBySide({}), policy, "promote", /score 100/],
    ["a pass of the sequential judge promotes", sideBySide({}), sequential, "promote", /all 4 metrics/],
    ["a fail takes back", sideBySide({ p99: 400, memory: 1 }), policy, "take-back", /score 50/],
    ["marginal asks", sideBySide({ p99: 400 }), policy, "ask", /marginal is not a pass/],
    [
      "a pass with a metric that has no data asks",
      gone(sideBySide({}), "error_rate"),
      policy,
      "ask",
      /no data never promotes/,
    ],
    [
      "a metric that passes because missing counts as zero asks",
      changed(sideBySide({}), "canary", (series) =>
        series.metric === "error_rate" ? without(series, () => true) : series,
      ),
      withMetrics(errors),
      "ask",
      /no data never promotes/,
    ],
    [
      "a score of 0 for want of data is no reason to act",
      gone(sideBySide({}), "error_rate", "p99_latency"),
      policy,
      "ask",
      /want of data alone/,
    ],
    ["nothing measured asks", { ...sideBySide({}), canary: [], complete: true }, sequential, "ask", /no sample/],
    [
      "an unsure judge waits",
      { ...sideBySide({}), now: sideBySide({}).now - 50 * STEP },
      sequential,
      "wait",
      /not sure yet/,
    ],
    [
      "without auto_promote_on_pass a person promotes",
      sideBySide({}),
      { ...policy, autoPromoteOnPass: false },
      "ask",
      /auto_promote_on_pass/,
    ],
    [
      "without auto_rollback_on_fail a person takes back",
      sideBySide({ errors: 0.3 }),
      { ...sequential, autoRollbackOnFail: false },
      "ask",
      /auto_rollback_on_fail/,
    ],
  ])("%s", (_, input, how, action, why) => {
    const { consequence } = judge(input, how);
    expect(consequence.action).toBe(action);
    expect(consequence.why).toMatch(why);
  });
});
