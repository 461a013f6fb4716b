import { describe, expect, it } from "vitest";
import { replayConfig, withMode } from "../../../core/config/defaults.ts";
import { changed, loaded, SEED, UNSHIP } from "./fixtures.ts";

const texts = (text: string) =>
  replayConfig(loaded(text)).policies.map(({ name, conditions }) => [
    name,
    conditions.map((condition) => condition.text),
  ]);

describe("the configuration of a replay without one", () => {
  it("is the seed's in mode auto, with a statistical condition beside each threshold", () => {
    expect(replayConfig(loaded(SEED))).toMatchObject({ mode: "auto", modeIsDefault: false });
    expect(texts(SEED)).toEqual([
      [
        "auto_rollback",
        [
          "error_rate > 0.05 for 3m",
          "p99_latency > 2000 for 5m",
          "health_check_failures >= 3 in a row",
          "error_rate worse than its past, confidence 0.9995",
          "p99_latency worse than its past, confidence 0.9995",
        ],
      ],
      [
        "human_review",
        ["error_rate > 0.02 for 5m (above 0.05 counts, too)", "error_rate worse than its past, confidence 0.9995"],
      ],
      ["canary_analysis", []],
    ]);
  });

  it("shares one false alarm in a thousand changes among its metrics", () => {
    const one = changed(SEED, ["rollback_policies.auto_rollback.conditions.1", undefined]);
    expect(texts(one)[0]?.[1]).toContain("error_rate worse than its past, confidence 0.999");
  });

  it("does not repeat a statistical condition that the file has already", () => {
    const own = { regression: { metric: "error_rate", confidence: 0.9 } };
    const text = changed(SEED, ["rollback_policies.human_review.conditions.1", own]);
    expect(texts(text)[1]?.[1]).toEqual([
      "error_rate > 0.02 for 5m (above 0.05 counts, too)",
      "error_rate worse than its past, confidence 0.9",
    ]);
  });

  it("changes nothing else, and cannot be changed", () => {
    const file = loaded(SEED);
    const { mode, modeIsDefault, policies, ...rest } = replayConfig(file);
    const { mode: m, modeIsDefault: d, policies: p, ...same } = file;
    expect([m, d, p.length, mode, modeIsDefault, policies.length]).toEqual(["observe", true, 3, "auto", false, 3]);
    expect(rest).toEqual(same);
    expect(Object.isFrozen(policies[0]?.conditions)).toBe(true);
  });
});

describe("a mode that is given from outside", () => {
  const file = loaded(
    changed(UNSHIP, ["mode", "approve"], ["services.checkout.mode", "auto"], ["services.billing.mode", "observe"]),
  );
  it.each([
    ["observe", [null, "observe", "observe"]],
    ["approve", [null, "approve", "observe"]],
    ["auto", [null, "auto", "observe"]],
  ] as const)("%s replaces the file's, holds freer services to it, and frees none", (mode, modes) => {
    const { services, ...config } = withMode(file, mode);
    expect(config).toMatchObject({ mode, modeIsDefault: false });
    expect([services.recommendations?.mode, services.checkout?.mode, services.billing?.mode]).toEqual(modes);
  });
});
