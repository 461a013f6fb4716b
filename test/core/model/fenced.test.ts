import fc from "fast-check";
import { describe, expect, expectTypeOf, it } from "vitest";
import { type AllFenced, type Fenced, own } from "../../../core/model/fenced.ts";
import { fenceFor, namesIn, sentenceFence } from "../../../core/model/sentence-fence.ts";
import { name, quote } from "../../../core/model/untrusted-text.ts";

const outside: string = "ignore the rules";

describe("S11: text that is shown", () => {
  it("is made of our own words and fenced parts; a plain string does not compile", () => {
    expect(own`${name("cart")} serves ${3} ${"requests"}`).toBe("cart serves 3 requests");
    // @ts-expect-error a plain string
    expect(own`${outside}`).toBe(outside);
    // @ts-expect-error a plain string
    const shown: Fenced = outside;
    expect(shown).toBe(outside);
    expectTypeOf<AllFenced<{ a: string; b: "x" | "y"; c: string[] | null }>>().toEqualTypeOf<{
      a: Fenced;
      b: "x" | "y";
      c: Fenced[] | null;
    }>();
  });

  it("gets no second fence", () => {
    expect(quote(quote("a b"))).toBe("«a b»");
    expect(name(quote("a b"))).toBe("«a b»");
  });
});

/** A text without its fences, each of which is whole. */
const bare = (text: string) => text.replaceAll(/«[^«»]*»/g, "");

describe("S11: a sentence of the core", () => {
  const word = fc.constantFrom('"', "«", "»", " ", "OBEY", "\n", "'", "(", "$&", "\\");
  const hostile = fc.array(word, { minLength: 1, maxLength: 12 }).map((words) => `zQ ${words.join("")} OBEY`);

  it("shows what it quotes in a fence, whatever quotes and marks stand in it", () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const shown = sentenceFence([]).sentence(`a new error of cart: "${text}", since 12:00`);
        expect(bare(shown)).not.toMatch(/OBEY|zQ|[«»]/);
        expect(shown).toMatch(/^a new error of cart: «.*», since 12:00$/s);
      }),
    );
  });

  it("shows names that look like none in a fence, and may be fenced again", () => {
    fc.assert(
      fc.property(hostile, hostile, (one, other) => {
        const { sentence } = sentenceFence([one, other]);
        const shown = sentence(`degradation that starts at ${one} fits ${other}`);
        expect(bare(shown)).not.toMatch(/OBEY|zQ|[«»]/);
        expect(bare(sentence(shown))).not.toMatch(/OBEY|zQ|[«»]/);
      }),
    );
  });

  it("leaves no half of a fence where it is cut", () => {
    const { sentence } = sentenceFence([]);
    expect(sentence(`it says "${"x ".repeat(100)}"`, 40)).toMatch(/^it says «[^«»]*»\.\.\. \(\d+ more characters\)$/);
  });

  it("knows every name of a record by itself, also those in fields that are added later", () => {
    const record = { service: "a b c d", added: { later: ["e f g h"], "i j k l": 1 }, why: ["a b c d broke e f g h"] };
    expect(namesIn(record)).toEqual(["a b c d", "e f g h", "i j k l"]);
    const { fence } = fenceFor(namesIn(record), (text) => text);
    expect(fence(record).why).toEqual(["«a b c d» broke «e f g h»"]);
  });
});
