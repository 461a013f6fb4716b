import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { redactSecrets } from "../../../../core/model/secrets/redact.ts";
import { numbers } from "./filled.ts";
import { CONTEXTS, IDENTIFIERS } from "./identifiers.ts";

const EACH = 330;

describe("what is no secret stays, character by character", () => {
  it("identifiers: at most one in 200 is hidden, of more than 2,000", () => {
    const lines = Object.values(IDENTIFIERS).flatMap((make, kind) =>
      Array.from({ length: EACH }, (_, index) => {
        const context = CONTEXTS[index % CONTEXTS.length];
        return context?.(make(numbers(1_000 * kind + index))) ?? "";
      }),
    );
    expect(lines.length).toBeGreaterThan(2_000);
    const hidden = lines.filter((line) => redactSecrets(line) !== line);
    expect(hidden.length / lines.length, hidden.slice(0, 20).join("\n")).toBeLessThanOrEqual(0.005);
  });

  it.each(
    readFileSync(join(import.meta.dirname, "plain-lines.txt"), "utf8")
      .trimEnd()
      .split("\n"),
  )("%s", (line) => {
    expect(redactSecrets(line)).toBe(line);
  });
});
