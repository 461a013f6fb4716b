import fc from "fast-check";
import { countTokens } from "gpt-tokenizer/encoding/o200k_base";
import { describe, expect, it } from "vitest";
import { tokenWeight, WEIGHT_A_TOKEN } from "../../mcp-tools/token-weight.ts";

/** A long text drawn evenly from the code points between two, or from the characters given: a seed, so that it stays. */
function drawn(from: string | readonly [first: number, last: number]): string {
  let state = 20_261;
  const next = (below: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const points = [...(typeof from === "string" ? from : "")];
  const one = () =>
    typeof from === "string"
      ? (points[next(points.length)] as string)
      : String.fromCodePoint(from[0] + next(from[1] - from[0] + 1));
  return Array.from({ length: 3_000 }, one).join("");
}

const LETTERS = "abcdefghijklmnopqrstuvwxyz";
const DIGITS = "0123456789";
const MARKS = "!#$%&()*+,-./:;<=>?@[]^_`{|}~'";

const DENSE: readonly (readonly [string, string])[] = [
  ["base64", drawn(`${LETTERS}${LETTERS.toUpperCase()}${DIGITS}+/`)],
  ["base32", drawn(`${LETTERS.toUpperCase()}234567`)],
  ["hexadecimal", drawn(`${DIGITS}abcdef`)],
  ["digits", drawn(DIGITS)],
  ["single digits in a list", "1,7,3,9,".repeat(500)],
  ["figures", Array.from({ length: 300 }, (_, index) => Math.sin(index + 1)).join(",")],
  ["letters and digits by turns", "a1".repeat(1_500)],
  ["lower-case letters", drawn(LETTERS)],
  ["upper-case letters", drawn(LETTERS.toUpperCase())],
  ["letters of both cases", drawn(`${LETTERS}${LETTERS.toUpperCase()}`)],
  ["marks", drawn(MARKS)],
  ["all of ASCII", drawn(`${LETTERS}${LETTERS.toUpperCase()}${DIGITS}${MARKS}`)],
  ["Chinese", "在系统发生故障时支付服务的错误率显著上升请立即回滚".repeat(80)],
  ["any Chinese characters", drawn([0x4e00, 0x9fff])],
  ["rare Chinese characters", drawn([0x2_0000, 0x2_a6df])],
  ["kana", drawn([0x3041, 0x30fe])],
  ["Hangul", drawn([0xac00, 0xd7a3])],
  ["Thai", drawn([0xe01, 0xe3a])],
  ["Arabic", drawn([0x621, 0x64a])],
  ["Devanagari", drawn([0x905, 0x939])],
  ["Ethiopic", drawn([0x1200, 0x1248])],
  ["Tibetan", drawn([0xf40, 0xf6c])],
  ["Vai", drawn([0xa500, 0xa620])],
  ["Cyrillic", drawn([0x410, 0x44f])],
  ["Greek", drawn([0x391, 0x3c9])],
  ["Latin with accents", drawn([0xc0, 0xff])],
  ["emoji", drawn([0x1_f300, 0x1_f64f])],
  ["boxes", drawn([0x2500, 0x257f])],
  ["mathematical letters", drawn([0x1_d400, 0x1_d7ff])],
];

const most = (text: string) => tokenWeight(JSON.stringify(text)) / WEIGHT_A_TOKEN;

describe("the weight of a text", () => {
  it.each(DENSE)("is at least what a tokenizer counts: %s", (_, text) => {
    expect(countTokens(JSON.stringify(text))).toBeLessThanOrEqual(most(text));
  });

  it("is at most twice what a tokenizer counts for what tools mostly say", () => {
    const said = Array.from({ length: 20 }, (_, index) => ({
      service: "payments",
      metric: "error_rate",
      verdict: "worse",
      onset: "2026-06-20T01:18:56.000Z",
      baseline: 0.0012,
      current: 0.0876,
      because: `now ${index}.76 %, beyond 5.00 % for 5m: the degradation began about when the rollout started`,
    }));
    expect(most(JSON.stringify(said))).toBeLessThanOrEqual(2 * countTokens(JSON.stringify(JSON.stringify(said))));
  });

  it("grows with the text, and beyond ASCII is never less than what a tokenizer counts", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), (a, b) => {
        expect(tokenWeight(a + b)).toBeGreaterThanOrEqual(tokenWeight(a));
        const foreign = [...a].filter((one) => one > "\x7f").join("");
        expect(tokenWeight(foreign)).toBeGreaterThanOrEqual(WEIGHT_A_TOKEN * countTokens(foreign));
      }),
    );
  });
});
