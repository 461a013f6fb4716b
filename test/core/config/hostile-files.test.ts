// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables are spelled so in the file
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseDocument } from "yaml";
import { formatProblem, loadConfig } from "../../../core/config/load.ts";
import { problems, SEED, UNSHIP } from "./fixtures.ts";

/** Loads a text and checks what holds of every answer. */
function answer(text: string) {
  const result = loadConfig(text, "u.yaml", {});
  if (result.ok) return result;
  expect(result.problems.length).toBeGreaterThan(0);
  const lines = text.split(/\n/).length;
  for (const problem of result.problems) {
    expect(formatProblem(problem)).toMatch(/^u\.yaml:\d+:\d+: [^\p{Cc}\u2028\u2029]+$/u);
    expect(problem.line).toBeGreaterThanOrEqual(1);
    expect(problem.line).toBeLessThanOrEqual(lines + 1);
    expect(problem.column).toBeGreaterThanOrEqual(1);
    expect(problem.message.length + (problem.hint?.length ?? 0)).toBeLessThan(2000);
  }
  return result;
}

const words = fc.constantFrom(
  ..."data_sources metrics type prometheus rollback_policies conditions metric threshold &a *a ${X} ${file:/x} - : , [ ] { } \" ' | > ? ! # % @ ` --- ... !!map << \t \n ~ null 1e999 .nan 0x1F __proto__ constructor toString".split(
    " ",
  ),
  " ",
  "\n",
  "\n  ",
);

describe("any text", () => {
  it("is loaded or refused with one line for each problem, and never thrown at", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: "binary", maxLength: 300 }),
          fc.array(words, { maxLength: 60 }).map((list) => list.join("")),
        ),
        (text) => {
          answer(text);
        },
      ),
      { numRuns: 400 },
    );
  });

  it("that is a good file with a piece cut out, doubled or overwritten is loaded or refused", () => {
    const edit = fc.record({
      file: fc.constantFrom(SEED, UNSHIP),
      at: fc.nat({ max: 4000 }),
      length: fc.nat({ max: 60 }),
      instead: fc.oneof(fc.constant(""), fc.string({ maxLength: 8 }), words),
    });
    fc.assert(
      fc.property(edit, ({ file, at, length, instead }) => {
        answer(file.slice(0, at) + instead + file.slice(at + length));
      }),
      { numRuns: 150 },
    );
  });

  it("that is a good file with any value anywhere is loaded or refused", () => {
    const paths = pathsOf(UNSHIP);
    const value = fc.oneof(
      fc.jsonValue({ maxDepth: 2 }),
      fc.double(),
      fc.constantFrom("${X}", "", "0", "-1", "3 minutes"),
    );
    fc.assert(
      fc.property(fc.constantFrom(...paths), value, (path, put) => {
        const document = parseDocument(UNSHIP);
        document.setIn(path, document.createNode(put));
        answer(document.toString());
      }),
      { numRuns: 150 },
    );
  });
});

/** Every path in a file, maps and lists included. */
function pathsOf(text: string): readonly (readonly (string | number)[])[] {
  const walk = (value: unknown, path: readonly (string | number)[]): (readonly (string | number)[])[] => {
    if (typeof value !== "object" || value === null) return [path];
    const inner = Array.isArray(value)
      ? value.flatMap((item: unknown, index) => walk(item, [...path, index]))
      : Object.entries(value).flatMap(([key, item]) => walk(item, [...path, key]));
    return path.length === 0 ? inner : [path, ...inner];
  };
  return walk(parseDocument(text).toJS(), []);
}

describe("a hostile file", () => {
  const bomb = [
    "a: &a [x, x, x, x, x, x, x, x, x]",
    ..."bcdefghi"
      .split("")
      .map((name, index) => `${name}: &${name} [${Array(9).fill(`*${"abcdefghi"[index]}`).join(", ")}]`),
  ].join("\n");

  it.each([
    ["whose aliases multiply into hundreds of millions of values", bomb, /more than \d+ values/],
    ["that contains itself", "services: &a {x: *a}\n", /nested more than \d+ deep/],
    ["that is nested ten thousand deep", `services: ${"[".repeat(10_000)}`, /not readable as YAML/],
    [
      "that is nested just beyond the limit",
      `services: ${"[".repeat(60)}${"]".repeat(60)}\n`,
      /nested more than 50 deep/,
    ],
    [
      "of more than two million characters",
      "#".repeat(2_000_001),
      /the file has 2000001 characters \(at most 2000000\)/,
    ],
    [
      "with three thousand mistyped keys",
      Array.from({ length: 3000 }, (_, index) => `key${index}: 1`).join("\n"),
      /there is no key/,
    ],
    ["with a key of a thousand characters", `${"k".repeat(1000)}: 1\n`, /there is no key "k+\.\.\."/],
    ["with a value of a hundred thousand characters", `mode: ${"v".repeat(100_000)}\n`, /mode cannot be "v+\.\.\."/],
    [
      "with an endless key",
      `services:\n  ? ${"k".repeat(1_000_000)}\n  : {flags: 1}\n`,
      /services\.k+\.\.\. has the wrong length \(at most 253 characters\)/,
    ],
    [
      "with an endless query of quotes",
      `data_sources: {metrics: {type: prometheus, endpoint: "http://p", queries: {error_rate: '${'\\"'.repeat(500_000)}'}}}\n`,
      /queries\.error_rate has the wrong length \(at most 10000 characters\)/,
    ],
    [
      "with an endless query of spaces, to be scraped",
      `data_sources: {metrics: {type: scrape, queries: {error_rate: 'a{${" ".repeat(500_000)}'}}}\n`,
      /queries\.error_rate cannot be evaluated without a Prometheus/,
    ],
    [
      "with an endless action",
      `reasoning_chain: {on_anomaly_detected: [{step: identify_recent_deployments, action: "${"last ".repeat(300_000)}"}]}\n`,
      /action names no window/,
    ],
    ["with a line break inside a key", '"a\\nb": 1\n', /there is no key "a b"/],
  ])("%s is refused, within bounds", (_, text, message) => {
    const lines = problems(text);
    expect(lines.some((line) => message.test(line))).toBe(true);
    expect(lines.length).toBeLessThanOrEqual(501);
    answer(text);
  });

  it("that names what every object has is not taken for a good one", () => {
    const text = `${SEED}services: {toString: {}, constructor: {criticality: low}}\nhasOwnProperty: 1\n`;
    const result = loadConfig(text, "u.yaml", { LD_API_KEY: "k" });
    expect(result.ok ? [] : result.problems.map(({ message }) => message)).toEqual([
      'there is no key "hasOwnProperty" at the top',
    ]);
  });

  it("may name services after what every object has", () => {
    const result = loadConfig(`${SEED}services: {toString: {}, constructor: {criticality: low}}\n`, "u.yaml", {
      LD_API_KEY: "k",
    });
    expect(result.ok && Object.keys(result.config.services)).toEqual(["toString", "constructor"]);
  });
});
