import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { boundedTools, READ_MORE } from "../../../agent/chain/bounded-tools.ts";
import type { StepTools } from "../../../agent/chain/reasoner.ts";

const answering = (text: string): StepTools => ({
  specs: [],
  call: async () => ({ structured: {}, text, isError: false }),
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
