import { describe, expect, it } from "vitest";
import { onsetWords } from "../../../core/correlation/onset-words.ts";

describe("when a degradation started, told from a change", () => {
  it.each([
    ["deploy", 0, true, "onset as the rollout started"],
    ["deploy", -999, true, "onset as the rollout started"],
    ["deploy", 999, true, "onset as the rollout started"],
    ["deploy", 2_000, true, "onset 2s after the rollout started"],
    ["flag", 90_000, true, "onset 1m30s after the flag was switched"],
    ["config", -557_000, true, "onset about when the configuration was changed: which was first is not known"],
    ["migration", -60_000, false, "onset 1m before the migration started: it cannot be the cause"],
  ] as const)("%s, %d ms, possible: %s", (kind, lagMs, isCause, words) => {
    expect(onsetWords({ kind }, lagMs, isCause)).toBe(words);
  });
});
