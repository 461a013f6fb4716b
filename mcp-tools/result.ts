import { cleanDeep } from "../core/model/untrusted-text.ts";

/** Nothing over 10,000 tokens leaves a tool; three bytes a token, as in `page.ts`. */
const HARD_LIMIT_BYTES = 30_000;

/** What a tool's answer becomes on the wire: the object, and the same as JSON text for clients that read text alone. */
export interface ToolAnswer {
  readonly structured: Record<string, unknown>;
  readonly text: string;
}

/** The answer is larger than any result may be: a fault of the tool, which should have paged. */
export class ResultTooLarge extends Error {
  override readonly name = "ResultTooLarge";
}

/**
 * The last pass over every result, whatever the tool did: control characters and secrets gone from every string
 * (S10, S11), size bounded. Throws `ResultTooLarge`.
 */
export function answerOf(result: Record<string, unknown>): ToolAnswer {
  const structured = cleanDeep(result);
  const text = JSON.stringify(structured);
  if (Buffer.byteLength(text) > HARD_LIMIT_BYTES) throw new ResultTooLarge();
  return { structured, text };
}
