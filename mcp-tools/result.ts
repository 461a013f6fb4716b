import { deepFreeze } from "../core/config/written-values.ts";
import { cleanDeep } from "../core/model/untrusted-text.ts";
import { tokenWeight, WEIGHT_A_TOKEN } from "./token-weight.ts";

/** Nothing over 10,000 tokens leaves a tool. */
const HARD_LIMIT = 10_000 * WEIGHT_A_TOKEN;

/** What a tool's answer becomes on the wire: the object, and the same as text (JSON, or the tool's own words) for clients that read text alone. */
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
  if (tokenWeight(text) > HARD_LIMIT) throw new ResultTooLarge();
  return { structured, text };
}

/** A result that is given again to whoever asks the same: checked, cleaned and spelled the first time, then as it is. */
export class KeptResult<T extends Record<string, unknown>> {
  readonly #result: T;
  #answer: ToolAnswer | undefined;

  constructor(result: T) {
    this.#result = result;
  }

  /** Frozen: callers in the same process share it. */
  answer(finish: (result: T) => ToolAnswer): ToolAnswer {
    this.#answer ??= deepFreeze(finish(this.#result));
    return this.#answer;
  }
}
