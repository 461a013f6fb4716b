import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { onceFor } from "../../mcp-tools/once-for.ts";

/** Counts how often it was worked out. */
function counting() {
  let made = 0;
  return () => ({ made: ++made });
}

describe("what is kept with the evidence that it was made from", () => {
  it("is made once for each question, and again from any other evidence, for any other kind", () => {
    const [file, other, config] = [{}, {}, {}];
    const make = counting();
    const first = onceFor([file, config], "findings", { limit: 20 }, make);
    expect(onceFor([file, config], "findings", { limit: 20 }, make)).toBe(first);
    expect(onceFor([file, config], "findings", { limit: 21 }, make)).toEqual({ made: 2 });
    expect(onceFor([other, config], "findings", { limit: 20 }, make)).toEqual({ made: 3 });
    expect(onceFor([file, {}], "findings", { limit: 20 }, make)).toEqual({ made: 4 });
    expect(onceFor([file], "findings", { limit: 20 }, make)).toEqual({ made: 5 });
    expect(onceFor([file, config], "changes", { limit: 20 }, make)).toEqual({ made: 6 });
  });

  it("is what making it afresh would give, whatever was asked before", () => {
    const file = {};
    const question = fc.record({ limit: fc.integer({ min: 1, max: 200 }), service: fc.option(fc.string()) });
    fc.assert(
      fc.property(fc.array(question, { minLength: 1, maxLength: 300 }), (questions) => {
        for (const one of questions) {
          expect(onceFor([file], "echo", one, () => JSON.stringify(one))).toBe(JSON.stringify(one));
        }
      }),
      { numRuns: 20 },
    );
  });

  it("is not kept where it failed, nor for a question so long that it would fill us", () => {
    const file = {};
    const fail = () => {
      throw new Error("not now");
    };
    expect(() => onceFor([file], "x", 1, fail)).toThrow("not now");
    expect(onceFor([file], "x", 1, () => "now")).toBe("now");
    const make = counting();
    const long = "x".repeat(70_000);
    onceFor([file], "x", long, make);
    expect(onceFor([file], "x", long, make)).toEqual({ made: 2 });
  });
});
