import { describe, expect, it } from "vitest";
import { brokenLevels } from "../../../core/config/broken-levels.ts";
import type { Config } from "../../../core/config/config.ts";

type Condition = Config["policies"][number]["conditions"][number];
const threshold = (
  metric: string,
  at: number,
  comparison: "greater_than" | "less_than" = "greater_than",
): Condition => ({
  ...{ kind: "threshold", metric, comparison, threshold: at, upperBound: null, durationMs: 0, text: "" },
});
const policy = (...conditions: readonly Condition[]): Config["policies"][number] => ({
  ...{ name: "p", action: "rollback_immediate", notification: [], conditions },
});

describe("what people call broken", () => {
  it("is the lowest threshold of any policy, of what is bad above it", () => {
    expect(
      brokenLevels([
        policy(threshold("error_rate", 0.05), threshold("request_rate", 3, "less_than")),
        policy(threshold("error_rate", 0.02), threshold("p99_latency", 2_000)),
      ]),
    ).toEqual({ error_rate: 0.02, p99_latency: 2_000 });
    expect(brokenLevels([])).toEqual({});
  });
});
