import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { wrap } from "../../../agent/cli/wrap.ts";

describe("wrap", () => {
  it.each([
    ["a line that fits stays as it is", "short", 80, ["short"]],
    [
      "a long one is broken at spaces, its rest set in",
      "aaaa ".repeat(10).trim(),
      40,
      ["aaaa aaaa aaaa aaaa aaaa aaaa aaaa aaaa", "  aaaa aaaa"],
    ],
    [
      "its own indent is kept",
      `    ${"bbbb ".repeat(8).trim()}`,
      40,
      ["    bbbb bbbb bbbb bbbb bbbb bbbb bbbb", "      bbbb"],
    ],
    ["a figure stays with its unit", `${"c".repeat(33)} (> 99 %) d`, 40, ["c".repeat(33), "  (> 99 %) d"]],
    ["a word longer than a line stays whole", `see ${"x".repeat(50)} now`, 40, ["see", `  ${"x".repeat(50)}`, "  now"]],
  ] as const)("%s", (_, line, columns, lines) => {
    expect(wrap(line, columns)).toEqual(lines);
  });

  it("loses no word, and exceeds the width only by a word that is longer", () => {
    const words = fc.array(fc.stringMatching(/^[a-z]{1,60}$/), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(words, fc.integer({ min: 1, max: 120 }), (given, columns) => {
        const lines = wrap(given.join(" "), columns);
        expect(lines.flatMap((line) => line.trim().split(" "))).toEqual(given);
        for (const line of lines) expect(line.length <= Math.max(40, columns) || !line.trim().includes(" ")).toBe(true);
      }),
    );
  });
});
