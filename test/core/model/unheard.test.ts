import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { GAP_KINDS, GAP_REASONS, type Gap } from "../../../core/model/assessment.ts";
import { gapText, noChangeText, unheardChanges, unheardMetrics, unheardText } from "../../../core/model/unheard.ts";

const anyText = fc.oneof(fc.constantFrom("changes", "metrics", "metrics: error_rate", "no source"), fc.string());
const anyGap = fc.record<Gap>({
  of: fc.constantFrom(...GAP_KINDS),
  how: fc.constantFrom(...GAP_REASONS),
  source: anyText,
  what: anyText,
  because: anyText,
});
const gap = (more: Partial<Gap>): Gap => ({
  ...{ of: "changes", how: "unanswered", source: "kubernetes", what: "changes", because: "it does not answer" },
  ...more,
});

describe("S9: what is unknown is told by its kind, whatever the words", () => {
  it("a gap of changes, however it came and is worded, keeps 'no change' from being known; no other does", () => {
    fc.assert(
      fc.property(anyGap, (one) => {
        expect(unheardChanges([one])).toHaveLength(one.of === "changes" ? 1 : 0);
      }),
    );
  });

  it("a gap of what is measured keeps 'nothing is worse' from being known, of the services that it is about", () => {
    const measuring = ["metrics", "history", "targets", "pods"];
    const services = fc.option(fc.subarray(["cart", "pay"], { minLength: 1 }), { nil: undefined });
    fc.assert(
      fc.property(anyGap, services, fc.subarray(["cart", "pay", "bank"]), (one, of, asked) => {
        const about = of === undefined ? one : { ...one, services: of };
        const meant = of === undefined || asked.length === 0 || of.some((name) => asked.includes(name));
        expect(unheardMetrics([about], asked)).toHaveLength(measuring.includes(one.of) && meant ? 1 : 0);
      }),
    );
  });

  it.each<[string, Gap, string]>([
    ["what failed", gap({}), "kubernetes did not say changes: it does not answer"],
    [
      "what was left out",
      gap({ how: "partial", what: "ConfigMaps edited in place", because: "the credentials may not read them" }),
      "kubernetes does not show ConfigMaps edited in place: the credentials may not read them",
    ],
    [
      "what cannot be relied on",
      gap({ how: "uncertain", what: "when its changes began", because: "its clock is ahead" }),
      "kubernetes: its clock is ahead",
    ],
    [
      "what nobody is configured to say",
      gap({ how: "not-configured", source: "configuration", because: "no source of changes is configured" }),
      "changes are unknown: no source of changes is configured",
    ],
  ])("%s", (_, one, text) => {
    expect(unheardText(one)).toBe(text);
    expect(gapText({ ...one, since: 0 })).toBe(`${text} (since 1970-01-01T00:00:00.000Z)`);
  });

  it.each([
    ["no change", []],
    ["no known change", ["kubernetes did not say changes: it does not answer"]],
    ["no known change", undefined],
  ] as const)("%s, where what was not heard is %o", (text, unheard) => {
    expect(noChangeText(unheard)).toBe(text);
  });
});
