import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonicalJson, Spelled } from "../../../core/guardrails/canonical-json.ts";

describe("canonicalJson", () => {
  it.each([
    ["sorts keys by code units", { b: 1, a: 2, "\u20ac": 3, "1": 4 }, '{"1":4,"a":2,"b":1,"€":3}'],
    ["sorts in depth", { x: [{ b: 1, a: null }] }, '{"x":[{"a":null,"b":1}]}'],
    ["prints numbers as ECMAScript does", [1e21, 0.1, -0, 1.0], "[1e+21,0.1,0,1]"],
    ["leaves out what is undefined", { a: undefined, b: 1 }, '{"b":1}'],
    ["escapes as JSON does", 'a"\n\u0001', '"a\\"\\n\\u0001"'],
  ])("%s", (_, value, text) => {
    expect(canonicalJson(value)).toBe(text);
  });

  it.each([
    ["not a number", { a: [Number.NaN] }, "$.a[0]: NaN"],
    ["infinity", Number.POSITIVE_INFINITY, "$: Infinity"],
    ["a bigint", { n: 1n }, "$.n: a bigint"],
    ["a function", [() => 1], "$[0]: a function"],
  ])("refuses %s, naming where it stands", (_, value, says) => {
    expect(() => canonicalJson(value)).toThrow(says);
  });

  it("keeps every JSON value, whatever the order of its keys", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = canonicalJson(value);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
        expect(canonicalJson(reversed(value))).toBe(text);
      }),
    );
  });

  it("takes what is spelled already as it is, wherever it stands", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const spelled = new Spelled(canonicalJson(value));
        expect(canonicalJson(spelled)).toBe(canonicalJson(value));
        expect(canonicalJson({ b: [spelled], a: 1 })).toBe(canonicalJson({ b: [value], a: 1 }));
      }),
    );
  });
});

function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, item]) => [key, reversed(item)]),
  );
}
