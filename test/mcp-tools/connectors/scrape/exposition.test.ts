import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { labelsOf, readExposition } from "../../../../mcp-tools/connectors/scrape/exposition.ts";

function read(text: string, maxSamples = 1000) {
  const samples: [string, Record<string, string>, number][] = [];
  const count = readExposition(text, maxSamples, (series, _, value) => {
    const parsed = labelsOf(series);
    if (parsed === null) return false;
    samples.push([parsed.name, Object.fromEntries(parsed.labels), value]);
    return true;
  });
  return { ...count, read: samples };
}

describe("readExposition", () => {
  it.each([
    ["a bare name", "up 1\n", [["up", {}, 1]]],
    ["labels", 'a{b="c",d="e"} 2\n', [["a", { b: "c", d: "e" }, 2]]],
    ["a trailing comma and blanks", 'a { b = "c" , } 2 \n', [["a", { b: "c" }, 2]]],
    ["escaped quotes, backslashes and newlines", 'a{b="x\\"y\\\\z\\n"} 2\n', [["a", { b: 'x"y\\z\n' }, 2]]],
    ["braces and commas within a value", 'a{b="{x,y}"} 2\n', [["a", { b: "{x,y}" }, 2]]],
    ["a timestamp", "a 2 1700000000000\n", [["a", {}, 2]]],
    ["an exemplar of OpenMetrics", 'a_bucket{le="1"} 2 # {trace_id="x"} 0.5 17.1\n', [["a_bucket", { le: "1" }, 2]]],
    ["no newline at the end", "a 2", [["a", {}, 2]]],
    [
      "Windows line ends",
      "a 2\r\nb 3\r\n",
      [
        ["a", {}, 2],
        ["b", {}, 3],
      ],
    ],
    ["a quoted UTF-8 name", '{"my.name",b="c"} 2\n', [["my.name", { b: "c" }, 2]]],
    [
      "exponents and infinities",
      "a 1.5e-3\nb +Inf\nc -Inf\n",
      [
        ["a", {}, 0.0015],
        ["b", {}, Infinity],
        ["c", {}, -Infinity],
      ],
    ],
    ["comments and empty lines", "# HELP a b\n\n# TYPE a counter\na 1\n", [["a", {}, 1]]],
    ["nothing after # EOF", "a 1\n# EOF\nb 2\n", [["a", {}, 1]]],
  ])("reads %s", (_, text, expected) => {
    expect(read(text)).toEqual({ read: expected, samples: expected.length, invalid: 0, truncated: false });
  });

  it.each([
    ["a value that is none", "a x\n"],
    ["no value", "a\n"],
    ["a brace that never closes", 'a{b="c" 1\n'],
    ["labels without quotes", "a{b=c} 1\n"],
    ["a name that is missing", '{b="c"} 1\n'],
    ["a hexadecimal value", "a 0x10\n"],
    ["a line that is far too long", `a{b="${"x".repeat(70_000)}"} 1\n`],
  ])("counts %s as invalid, and reads on", (_, bad) => {
    expect(read(`before 1\n${bad}after 2\n`)).toMatchObject({
      read: [
        ["before", {}, 1],
        ["after", {}, 2],
      ],
      invalid: 1,
    });
  });

  it("stops at the most samples that it may read, and says so", () => {
    expect(read("a 1\nb 2\nc 3\n", 2)).toMatchObject({ samples: 2, truncated: true });
  });

  it("reads back every series that can be written", () => {
    const name = fc.stringMatching(/^[a-zA-Z_:][a-zA-Z0-9_:]{0,8}$/);
    const labels = fc.dictionary(fc.stringMatching(/^[a-zA-Z_]\w{0,5}$/), fc.string({ unit: "grapheme" }), {
      maxKeys: 4,
      noNullPrototype: true,
    });
    fc.assert(
      fc.property(name, labels, fc.double({ noNaN: true }), (metric, pairs, value) => {
        const escaped = Object.entries(pairs).map(
          ([key, text]) => `${key}="${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`,
        );
        const number = value === Infinity ? "+Inf" : value === -Infinity ? "-Inf" : String(value);
        const answer = read(`${metric}{${escaped.join(",")}} ${number}\n`).read[0];
        expect(answer?.slice(0, 2)).toEqual([metric, pairs]);
        expect(answer?.[2]).toBe(Object.is(value, -0) ? 0 : value);
      }),
    );
  });

  it("never throws and never hangs, whatever stands there", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom("a", "{", "}", '"', "\\", "=", ",", " ", "\n", "#", "1", "\r") }),
        (text) => {
          expect(read(text).truncated).toBe(false);
        },
      ),
    );
  });
});
