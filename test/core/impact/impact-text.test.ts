import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  failingAt,
  failingSentence,
  inThePast,
  revenueFigure,
  revenueSentence,
} from "../../../core/impact/impact-text.ts";
import { budgetSentence } from "../../../core/impact/routes.ts";

describe("an impact in words", () => {
  it("never says that nothing is at risk, and always in which currency something is", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 1e6, noNaN: true }),
        fc.constantFrom("EUR", "JPY", undefined),
        (atRisk, currency) => {
          const sentence = revenueSentence(atRisk, 2 * atRisk, currency);
          if (sentence === null) {
            expect(atRisk).toBeLessThan(0.5);
            return;
          }
          expect(sentence).toMatch(
            /^revenue at risk: [1-9][\d,]* of [1-9][\d,]* (?:[A-Z]{3}\/min|a minute, in the file's currency)$/,
          );
          expect(sentence.includes(`${currency}/min`)).toBe(currency !== undefined);
          expect(`revenue at risk: ${revenueFigure({ sentences: ["other", sentence] })}`).toBe(sentence);
        },
      ),
    );
    expect(revenueSentence(943.2, 4519.4, "EUR")).toBe("revenue at risk: 943 of 4,519 EUR/min");
  });

  it.each([
    failingSentence(0.0474, "web"),
    "p50_latency of email-render is 48.6 times the baseline",
    "12 % of traced user requests fail",
    "3 of 40 users in the traces met a failure (7.5 %)",
    budgetSentence(0.3) ?? "",
    "worst route: POST /buy of checkout, 41 % fail",
    revenueSentence(943, 4519, "EUR") ?? "",
  ])("of what is over is told in the past: %s", (sentence) => {
    expect(sentence).not.toBe("");
    expect(inThePast(sentence)).not.toMatch(/\b(?:is|are|fail)\b/);
  });

  it("names where users come in", () => {
    expect(failingAt({ sentences: ["x", failingSentence(0.0474, "web")] })).toBe("web");
    expect(failingSentence(0.0474, "web")).toBe("4.74 % of requests fail at web");
    expect(failingAt({ sentences: [] })).toBeNull();
  });
});
