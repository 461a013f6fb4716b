import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { boundedTools, READ_MORE } from "../../../agent/chain/bounded-tools.ts";
import { usable } from "../../../agent/chain/compaction.ts";
import { ungrounded } from "../../../agent/chain/grounding.ts";
import type { StepTools } from "../../../agent/chain/reasoner.ts";
import { NO_CLAIMS } from "../../../agent/chain/step.ts";

const answering = (text: string): StepTools => ({
  specs: [],
  call: async () => ({ structured: null, text, isError: false }),
});

async function readAll(text: string, most: number): Promise<readonly string[]> {
  const tools = boundedTools(answering(text), most);
  const parts: string[] = [];
  let next: string | undefined = "";
  while (next !== undefined) {
    const said: string = (await tools.call(next === "" ? "get_findings" : READ_MORE.name, { handle: next })).text;
    const cut = /\n\(cut here; \d+ more characters: read_more with handle (part-\d+)\)$/.exec(said);
    parts.push(cut === null ? said : said.slice(0, cut.index));
    next = cut?.[1];
  }
  return parts;
}

/** Text with fenced pieces in it, as tool results have. */
const fencedText = fc
  .array(
    fc.oneof(
      fc.string({ maxLength: 40 }),
      fc.string({ maxLength: 30 }).map((one) => `«${one}»`),
    ),
    { minLength: 1 },
  )
  .map((parts) =>
    parts.map((part, index) => (/^«.*»$/s.test(part) ? part : part.replaceAll(/[«»]/g, "") || `${index}`)),
  )
  .map((parts) =>
    parts.map((part) => (part.startsWith("«") ? `«${part.slice(1, -1).replaceAll(/[«»]/g, "")}»` : part)).join(""),
  );

describe("a result that is longer than what a model is shown at once", () => {
  it("comes in parts, by handle, and nothing of it is lost", async () => {
    await fc.assert(
      fc.asyncProperty(fencedText, fc.integer({ min: 60, max: 120 }), async (text, most) => {
        const parts = await readAll(text, most);
        expect(parts.join("")).toBe(text);
        expect(parts.every(({ length }) => length <= most)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  it("is never cut between the marks of a fence", async () => {
    await fc.assert(
      fc.asyncProperty(fencedText, fc.integer({ min: 60, max: 120 }), async (text, most) => {
        for (const part of await readAll(text, most)) {
          expect(part.replaceAll(/«[^«»]*»/g, "")).not.toMatch(/[«»]/);
        }
      }),
      { numRuns: 200 },
    );
  });

  it("is offered in parts by a tool of its own, which says which handles there are", async () => {
    const tools = boundedTools(answering("x".repeat(50)), 20);
    expect(tools.specs).toEqual([]);
    expect(await tools.call(READ_MORE.name, { handle: "part-9" })).toMatchObject({
      isError: true,
      text: "There is no such handle. There are: none, since no result was cut.",
    });
    await tools.call("get_findings", {});
    expect(tools.specs).toEqual([READ_MORE]);
    expect((await tools.call(READ_MORE.name, {})).text).toBe("There is no such handle. There are: part-1.");
  });
});

describe("a result's figures", () => {
  it("come at four significant digits; counts, moments and what stands in words as they are", async () => {
    const structured = {
      probability: 0.992079689821319,
      logOdds: -12.245005918731481,
      tiny: 1.544000300736497e-8,
      failed: 123_456,
      onset: 1_781_918_246_000,
      because: "now 0.0876543 of all requests",
    };
    const asked = { structured, text: JSON.stringify(structured), isError: false };
    const { text } = await boundedTools({ specs: [], call: async () => asked }).call("rank_candidates", {});
    expect(JSON.parse(text)).toEqual({
      probability: 0.9921,
      logOdds: -12.25,
      tiny: 1.544e-8,
      failed: 123_456,
      onset: 1_781_918_246_000,
      because: "now 0.0876543 of all requests",
    });
  });

  it("are found again in what was measured, where an answer repeats them as they were shown", () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-9, max: 1e9, noNaN: true }), (measured) => {
        const claims = { ...NO_CLAIMS, figures: [usable(measured)] };
        expect(ungrounded(claims, [{ measured }])).toEqual([]);
      }),
    );
  });
});
