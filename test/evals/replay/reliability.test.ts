import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { reliability } from "../../../evals/replay/reliability.ts";

const claim = (probability: number, isTrue: boolean) => ({ probability, isTrue });

describe("reliability", () => {
  it("puts claims of about one probability together: mean claimed, share true, Wilson's 95 % interval", () => {
    const claims = [...Array(8).fill(claim(0.92, true)), claim(0.94, false), claim(0.96, true), claim(0.05, false)];
    const [low, high] = reliability(claims);
    expect(low).toMatchObject({ from: 0, to: 0.1, claims: 1, claimed: 0.05, actual: 0 });
    expect(high).toMatchObject({ from: 0.9, to: 1, claims: 10, actual: 0.9 });
    expect(high?.claimed).toBeCloseTo(0.926, 10);
    // Wilson's interval of 9 in 10, as R's prop.test(9, 10, correct = FALSE) gives it.
    expect(high?.low).toBeCloseTo(0.5958, 4);
    expect(high?.high).toBeCloseTo(0.9821, 4);
  });

  it("certainty belongs to the last tenth", () => {
    expect(reliability([claim(1, true)])).toMatchObject([{ from: 0.9, to: 1, claims: 1 }]);
  });

  it("loses no claim, and each interval holds its share", () => {
    const claims = fc.array(
      fc.record({ probability: fc.double({ min: 0, max: 1, noNaN: true }), isTrue: fc.boolean() }),
    );
    fc.assert(
      fc.property(claims, (all) => {
        const bins = reliability(all);
        expect(bins.reduce((sum, one) => sum + one.claims, 0)).toBe(all.length);
        for (const { actual, low, high } of bins) {
          expect(low).toBeLessThanOrEqual(actual + 1e-12);
          expect(high).toBeGreaterThanOrEqual(actual - 1e-12);
        }
      }),
    );
  });
});
