import { usable } from "./compaction.ts";
import type { StepTools } from "./reasoner.ts";
import type { ToolResult, ToolSpec } from "./tool-client.ts";

/**
 * Characters of one result that a model is shown at once: about 3,000 tokens at three characters a token, so that the
 * results of a step's usual calls fit its share of the 20,000 tokens that a whole incident may take.
 */
export const SHOWN_CHARACTERS = 9_000;

/** Rows of a list that a model gets where it names no limit; `more` in the result goes on from there. */
const ROWS = 8;

/** The handle's tool. Not the server's: what it reads was answered already. */
export const READ_MORE: ToolSpec = {
  name: "read_more",
  description: "The next part of a result that was cut, by the handle at its end.",
  inputSchema: { type: "object", properties: { handle: { type: "string" } }, required: ["handle"] },
  readOnly: true,
};

/** A step's tools with each result rounded and cut to what a model is shown at once, and one more tool to read on. */
export function boundedTools(tools: StepTools, most = SHOWN_CHARACTERS): StepTools {
  const rests = new Map<string, string>();

  function shown(asked: ToolResult): ToolResult {
    const result = { ...asked, text: withoutIdleDigits(asked) };
    if (result.text.length <= most) return result;
    const at = cutOutsideFence(result.text, most);
    const handle = `part-${rests.size + 1}`;
    const rest = result.text.slice(at);
    rests.set(handle, rest);
    const note = `(cut here; ${rest.length} more characters: ${READ_MORE.name} with handle ${handle})`;
    return { ...result, structured: null, text: `${result.text.slice(0, at)}\n${note}` };
  }

  function withLimit(name: string, args: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
    const properties = tools.specs.find((spec) => spec.name === name)?.inputSchema.properties;
    const takes = typeof properties === "object" && properties !== null && "limit" in properties;
    return takes && args.limit === undefined ? { ...args, limit: ROWS } : args;
  }

  return {
    // Offered once there is something to read: until then it would only cost tokens.
    get specs() {
      return rests.size === 0 ? tools.specs : [...tools.specs, READ_MORE];
    },
    async call(name, args) {
      if (name !== READ_MORE.name) return shown(await tools.call(name, withLimit(name, args)));
      const rest = rests.get(String(args.handle));
      if (rest !== undefined) return shown({ structured: null, text: rest, isError: false });
      const known = [...rests.keys()].join(", ") || "none, since no result was cut";
      return { structured: null, text: `There is no such handle. There are: ${known}.`, isError: true };
    },
  };
}

/**
 * A result's text with figures at the precision that a reader can use. Claims are looked up in the figures as they were
 * measured, within a wider tolerance (`grounding.ts`).
 */
function withoutIdleDigits({ structured, text }: ToolResult): string {
  if (structured === null) return text;
  return JSON.stringify(structured, (_, value: unknown) => (typeof value === "number" ? usable(value) : value));
}

/** Where to cut, at most at `most`: never between the marks of a fence, since what follows would stand outside of it. */
function cutOutsideFence(text: string, most: number): number {
  const open = text.lastIndexOf("«", most - 1);
  const closed = text.indexOf("»", open);
  const inside = open >= 0 && (closed === -1 || closed >= most);
  const at = inside && open > 0 ? open : most;
  // Not between the halves of a character.
  return /[\ud800-\udbff]/.test(text.charAt(at - 1)) ? at - 1 : at;
}
