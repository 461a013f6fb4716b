import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createJsonMeter, JSON_DEPTH, jsonWithin } from "../../../core/model/json-meter.ts";

const NONE = { depth: Infinity, values: Infinity };
const bytes = (text: string) => new TextEncoder().encode(text);

/** Levels, containers and commas of a value as `JSON.stringify` writes it, found by walking it. */
function counted(value: unknown): { readonly depth: number; readonly values: number; readonly all: number } {
  if (typeof value !== "object" || value === null) return { depth: 0, values: 0, all: 1 };
  const within = (Array.isArray(value) ? value : Object.values(value)).map(counted);
  const sum = (of: "values" | "all") => within.reduce((total, one) => total + one[of], 0);
  return {
    depth: 1 + Math.max(0, ...within.map(({ depth }) => depth)),
    values: 1 + Math.max(0, within.length - 1) + sum("values"),
    all: 1 + sum("all"),
  };
}

/** Texts in which quotes, backslashes and brackets stand, which are none of JSON's own. */
const tricky = fc.string({ unit: fc.constantFrom('"', "\\", "[", "{", ",", "]", "é", "𝄞", "a"), maxLength: 12 });
const json = fc.letrec((tie) => ({
  value: fc.oneof({ depthSize: "medium" }, tricky, fc.integer(), fc.constant(null), tie("list"), tie("object")),
  list: fc.array(tie("value"), { maxLength: 5 }),
  object: fc.dictionary(tricky, tie("value"), { maxKeys: 5 }),
})).value;

describe("the meter of JSON", () => {
  it("counts what is parsed, however the bytes are cut", () => {
    fc.assert(
      fc.property(json, fc.array(fc.nat(), { maxLength: 8 }), (value, cuts) => {
        const text = bytes(JSON.stringify(value));
        const { depth, values, all } = counted(value);
        const meter = createJsonMeter({ ...NONE, depth });
        const places = [0, ...cuts.map((cut) => cut % (text.length + 1)).toSorted((a, b) => a - b), text.length];
        for (const [index, from] of places.entries())
          expect(meter.take(text.subarray(from, places[index + 1]))).toBeNull();
        expect(meter.values).toBe(values);
        expect(all).toBeLessThanOrEqual(2 * values + 1);
        if (depth > 0) expect(createJsonMeter({ ...NONE, depth: depth - 1 }).take(text)).toBe("depth");
        if (values > 0) expect(createJsonMeter({ ...NONE, values: values - 1 }).take(text)).toBe("values");
      }),
      { numRuns: 1000 },
    );
  });

  it.each([
    ["a hundred levels are read", "[".repeat(100) + "]".repeat(100), true],
    ["one more is not", "[".repeat(101) + "]".repeat(101), false],
    ["brackets in a text are no levels", JSON.stringify("[".repeat(5000)), true],
    ["nor behind an escaped quote", JSON.stringify(`"${"[".repeat(5000)}`), true],
    ["what is no JSON is nothing", "[1,", false],
  ])("%s", (_, text, isRead) => {
    expect(jsonWithin(text, { depth: JSON_DEPTH, values: 1000 }) !== undefined).toBe(isRead);
  });
});
