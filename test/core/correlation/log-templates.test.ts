import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createTemplateMiner, masked, templateText } from "../../../core/correlation/log-templates.ts";

describe("a masked message", () => {
  it.each([
    ["hides numbers", "slow query 212ms id=4711", "slow query #ms id=#"],
    ["hides addresses and times", "connect 10.0.0.12:5432 failed at 12:30:01", "connect # failed at #"],
    ["hides hexadecimal identifiers", "trace 4bf92f3577b34da6 lost", "trace # lost"],
    ["hides quoted text", "unknown coupon \"SUMMER\" of user 'bob'", "unknown coupon # of user #"],
    ["keeps words that merely look hexadecimal", "bad cafe facade", "bad cafe facade"],
    ["joins white space", "a \t b", "a b"],
  ])("%s", (_name, message, expected) => {
    expect(masked(message)).toBe(expected);
  });
});

describe("groups of messages", () => {
  it("make variables of the words that differ", () => {
    const miner = createTemplateMiner();
    const [a, b] = ["open file alpha for reading", "open file beta for reading"].map((text) => miner.add(text));
    expect(a).toBe(b);
    expect(a === undefined ? "" : templateText(a)).toBe("open file * for reading");
  });

  it("keep apart what shares less than half of its words, or has another number of them", () => {
    const miner = createTemplateMiner();
    const found = ["open file alpha", "open file alpha now", "open file went quite wrong here", "open file a b c d"];
    expect(new Set(found.map((text) => miner.add(text))).size).toBe(4);
  });

  it("are found again, whatever stands for the variables", () => {
    const number = fc.integer({ min: 0, max: 10 ** 9 });
    fc.assert(
      fc.property(fc.array(fc.tuple(number, fc.boolean()), { minLength: 1, maxLength: 50 }), (lines) => {
        const miner = createTemplateMiner();
        const groups = lines.map(([n, slow]) =>
          miner.add(slow ? `query ${n} took ${n} ms` : `cache miss for key ${n}`),
        );
        expect(new Set(groups).size).toBe(new Set(lines.map(([, slow]) => slow)).size);
        expect(groups.reduce((sum, one) => Math.max(sum, one.count), 0)).toBeLessThanOrEqual(lines.length);
      }),
    );
  });

  it("are bounded: the one met longest ago is forgotten first", () => {
    const miner = createTemplateMiner();
    const letters = (n: number) => [...String(n)].map((digit) => "abcdefghij"[Number(digit)]).join("");
    const first = miner.add("the very first");
    const kept = miner.add("often met");
    for (let i = 0; i < 3000; i++) {
      miner.add(Array.from({ length: 3 + (i % 30) }, (_, word) => `${letters(i)}x${letters(word)}`).join(" "));
      if (i % 10 === 0) miner.add("often met");
    }
    expect(miner.add("often met")).toBe(kept);
    expect(miner.add("the very first")).not.toBe(first);
  });
});
