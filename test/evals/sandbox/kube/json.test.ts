import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  encodeJson,
  type Json,
  sameJson,
  sortKeys,
  withoutEmpties,
  withoutNulls,
} from "../../../../evals/sandbox/kube/json.ts";

const json = fc.jsonValue().map((value) => value as Json);

describe("JSON of the API", () => {
  it("equality is blind to the order of keys and to nothing else", () => {
    fc.assert(
      fc.property(json, json, (a, b) => {
        expect(sameJson(a, sortKeys(a))).toBe(true);
        expect(sameJson(a, b)).toBe(JSON.stringify(sortKeys(a)) === JSON.stringify(sortKeys(b)));
      }),
    );
  });

  it("what is encoded is read back as it was, without the characters that Go escapes", () => {
    fc.assert(
      fc.property(json, (value) => {
        const text = encodeJson(value);
        expect(text).not.toMatch(/[<>&\u2028\u2029]/);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it.each([
    ["null fields go", { a: null, b: { c: null, d: 1 } }, { b: { d: 1 } }],
    ["null items of lists stay", { a: [null, { b: null }] }, { a: [null, {}] }],
    ["empty values stay", { a: {}, b: [], c: "" }, { a: {}, b: [], c: "" }],
  ] as const)("without nulls: %s", (_, value, expected) => {
    expect(withoutNulls(value)).toEqual(expected);
  });

  it.each([
    ["empty objects and lists go, at every depth", { a: { b: { c: [] } }, d: 1 }, { d: 1 }],
    ["zero, false and the empty text stay", { a: 0, b: false, c: "" }, { a: 0, b: false, c: "" }],
    ["nothing is left of nothing", { a: [], b: {} }, undefined],
  ] as const)("without empties: %s", (_, value, expected) => {
    expect(withoutEmpties(value)).toEqual(expected);
  });
});
