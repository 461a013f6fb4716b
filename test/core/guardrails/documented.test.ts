import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { RULES } from "../../../core/guardrails/rules.ts";
import { guardrailsPage, reasonOf } from "../../../scripts/generate-guardrail-docs.ts";

describe("docs/guardrails.md", () => {
  it("is what the rules and their tests say; if not, run npm run docs", () => {
    const page = readFileSync(join(import.meta.dirname, "../../../docs/guardrails.md"), "utf8");
    expect(page).toBe(guardrailsPage());
  });

  it.each(RULES)("says why $name exists, in a sentence", ({ name }) => {
    expect(reasonOf(name)).toMatch(/^[A-Z`].{30,}[.)]$/);
  });

  it("does not invent a reason for a rule that gives none", () => {
    expect(() => reasonOf("../rule")).toThrow(/does not say why/);
  });
});
