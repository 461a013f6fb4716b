import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { likelihood, likelihoodBelow } from "../../../core/model/likelihood.ts";

const ROOT = join(import.meta.dirname, "../../..");

describe("a probability in words", () => {
  it.each([
    [1, "> 99 %"],
    [0.9996, "> 99 %"],
    [0.97, "97 %"],
    [0.794, "79 %"],
    [0.005, "1 %"],
    [0.002, "< 1 %"],
    [0, "< 1 %"],
  ])("of %f is %s: never certain, one way or the other", (probability, said) => {
    expect(likelihood(probability)).toBe(said);
  });

  it.each([
    [0.79, 0.8, "79 %, below the confidence threshold of 80 %"],
    [0.7996, 0.8, "79.96 %, below the confidence threshold of 80 %"],
    [0.9989, 0.999, "99.89 %, below the confidence threshold of 99.9 %"],
    [0.001, 0.8, "< 1 %, below the confidence threshold of 80 %"],
  ])("of %f below a threshold of %f does not read like the threshold", (probability, threshold, said) => {
    expect(likelihoodBelow(probability, threshold)).toBe(said);
  });

  it("of a culprit that is not below it does not say that it were", () => {
    expect(likelihoodBelow(0.9, 0.8)).toBe("90 %, and the likeliest change is below the threshold");
  });

  it("names a number below the threshold's, whichever they are", () => {
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(share, share, (one, other) => {
        const [probability, threshold] = one < other ? [one, other] : [other, one];
        fc.pre(probability < threshold && threshold - probability > 1e-6 && threshold > 0.01);
        const [, shown] = /^(?:< )?([\d.]+) %, below the confidence threshold of ([\d.]+) %$/.exec(
          likelihoodBelow(probability, threshold),
        ) ?? ["", "no number"];
        expect(Number(shown)).toBeLessThan(threshold * 100 + 1e-6);
      }),
    );
  });

  it("is worded in one place alone", () => {
    const sources = ["agent", "core", "knowledge", "mcp-tools"].flatMap((layer) =>
      readdirSync(join(ROOT, layer), { recursive: true, encoding: "utf8" })
        .filter((file) => file.endsWith(".ts"))
        .map((file) => `${layer}/${file}`),
    );
    const worded = sources.filter((file) =>
      /probability[^\n;]*\.to(?:Fixed|Precision)\(/i.test(readFileSync(join(ROOT, file), "utf8")),
    );
    expect(worded).toEqual(["core/model/likelihood.ts"]);
  });
});
