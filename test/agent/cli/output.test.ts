import { describe, expect, it } from "vitest";
import { plain } from "../../../agent/cli/output.ts";
import { logLineOf } from "../../../mcp-tools/connectors/jsonl-logs/log-line.ts";

describe("words for a person", () => {
  it.each([
    ["escape sequences", "a\u001b[A\u001b[K\u001b]0;owned\u0007b"],
    ["C1 controls", "a\u009b2Jb"],
    ["marks that turn the direction of text", "a\u202eb"],
  ])("hold no %s", (_, text) => {
    expect(plain(text)).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  });

  it("keep their line breaks", () => {
    expect(plain("one\ntwo")).toBe("one\ntwo");
  });

  it("a secret in a log message is gone before anything can quote it", () => {
    const line = { at: "2026-01-01T00:00:00Z", service: "cart", message: "login failed password=hunter2secret" };
    expect(logLineOf(JSON.stringify(line))?.message).not.toContain("hunter2secret");
  });
});
