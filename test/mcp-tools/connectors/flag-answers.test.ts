import { describe, expect, it } from "vitest";
import { beforeText } from "../../../mcp-tools/connectors/flag-answers.ts";

describe("what stood before a flag was switched off", () => {
  it("is kept as it was, so that a person can put it back", () => {
    expect(beforeText({ enabled: true, feature_state_value: "blue" })).toBe(
      'before: {"enabled":true,"feature_state_value":"blue"}',
    );
  });

  it.each([
    ["a key as the flag's value", { feature_state_value: "sk-live-0123456789abcdefghij" }, "0123456789abcdefghij"],
    ["a password inside a value that is JSON", { feature_state_value: '{"password":"hunter2-hunter2"}' }, "hunter2"],
  ])("S10: carries no secret into the record: %s", (_, state, hidden) => {
    expect(beforeText(state)).not.toContain(hidden);
  });
});
