import { describe, expect, it } from "vitest";
import { jsonText, plain } from "../../../agent/cli/output.ts";
import { logLineOf } from "../../../mcp-tools/connectors/jsonl-logs/log-line.ts";

describe("words for a person", () => {
  it.each([
    ["escape sequences", "a\u001b[A\u001b[K\u001b]0;owned\u0007b"],
    ["C1 controls", "a\u009b2Jb"],
    ["marks that turn the direction of text", "a\u202eb"],
  ])("hold no %s", (_, text) => {
    expect(plain(text)).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  });

  it.each(["\n", "\r\n", "\r", "\u2028", "\u2029", "\u0085", "\u000b"])("stay on their line at %j (S11)", (end) => {
    expect(plain(`one${end}two`)).not.toMatch(/[\p{Cc}\p{Cf}\u2028\u2029]/u);
    expect(plain(`one${end}two`)).toMatch(/^one\\.*two$/);
  });

  it("as JSON hold nothing that steers a terminal either, and parse to the same", () => {
    const value = { "a\u009b": ["b\u202e\u001b[2J", "c\u{e0041}\u2028\n"] };
    expect(jsonText(value)).not.toMatch(/[\p{Cc}\p{Cf}\u2028\u2029]/u);
    expect(JSON.parse(jsonText(value))).toEqual(value);
  });

  it("a secret in a log message is gone before anything can quote it", () => {
    const line = { at: "2026-01-01T00:00:00Z", service: "cart", message: "login failed password=hunter2secret" };
    expect(logLineOf(JSON.stringify(line))?.message).not.toContain("hunter2secret");
  });
});
