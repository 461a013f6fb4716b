import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { insideText, outsideText } from "../../../core/guardrails/recovery-text.ts";
import { errors } from "./recovery-inputs.ts";

const DIRECTIONS = ["up", "down", "either"] as const;
const UNITS = [
  ["ratio", "%"],
  ["ms", "ms"],
  ["req/s", "req/s"],
  ["", ""],
] as const;

describe("a check of recovery in words", () => {
  it.each(UNITS)("gives the newest sample and the limit their unit each: %s", (unit, shown) => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 0.9, noNaN: true }),
        fc.integer({ min: 1, max: 900 }),
        fc.constantFrom(...DIRECTIONS),
        (value, samples, worse) => {
          const baseline = { ...errors, unit, lower: 0.1, upper: 0.5 };
          const amount = String.raw`[\d.e-]+${shown === "" ? "" : ` ${shown}`}`;
          const limit = `${worse === "down" ? "lower limit" : "limit"} ${amount}`;
          expect(insideText(value, samples, baseline, worse)).toMatch(
            new RegExp(`^newest sample ${amount}, ${limit}, ${samples} samples in a row within it$`),
          );
          expect(outsideText(value, baseline, worse)).toMatch(
            new RegExp(`^newest sample ${amount}, outside its baseline \\(${limit}\\)$`),
          );
        },
      ),
    );
  });
});
