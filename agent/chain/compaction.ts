import type { ChatMessage } from "../models/model.ts";

/** At three characters a token, as results are bounded: JSON full of digits and ids runs denser than prose. */
const CHARACTERS_A_TOKEN = 3;

export const LEFT_OUT = "(left out to make room; the same call gives it again)";
const CUT_WORDS = 200;

/**
 * A conversation that fits `mostTokens`: where it does not, the oldest tool results give way to a note, and then what
 * the model itself said at length, until half of the room is free (so that a vendor's cache of the beginning is lost
 * once and not at every turn). The task and the newest results always stay. Pure.
 */
export function compacted(messages: readonly ChatMessage[], mostTokens: number): readonly ChatMessage[] {
  const most = mostTokens * CHARACTERS_A_TOKEN;
  let size = messages.reduce((sum, one) => sum + sizeOf(one), 0);
  if (size <= most) return messages;
  const kept = [...messages];
  const shorten = (index: number, shorter: ChatMessage) => {
    size -= sizeOf(kept[index] as ChatMessage) - sizeOf(shorter);
    kept[index] = shorter;
  };
  // The first message is the task, the last one is what the model has not seen yet.
  for (let index = 1; index < kept.length - 1 && size > most / 2; index += 1) {
    const message = kept[index];
    if (message?.role === "tools") {
      shorten(index, { ...message, results: message.results.map((one) => ({ ...one, text: LEFT_OUT })) });
    }
  }
  for (let index = 1; index < kept.length - 1 && size > most / 2; index += 1) {
    const message = kept[index];
    if (message?.role === "assistant" && message.text.length > CUT_WORDS) {
      shorten(index, { ...message, text: `${message.text.slice(0, CUT_WORDS)}…` });
    }
  }
  return kept;
}

const sizeOf = (message: ChatMessage): number => JSON.stringify(message).length;

/** So many entries of a list tell what a step found; the tools have the rest. */
const LISTED = 8;

/** Why an earlier step weighed its hypotheses so: a later one builds on the weights, and can ask for the reasons. */
const REASONS = new Set(["reasons", "noChangeReasons"]);

/** A figure at four significant digits; counts and moments as they are. */
export const usable = (value: number): number => (Number.isInteger(value) ? value : Number(value.toPrecision(4)));

/** An earlier answer as a step is told it: long lists cut, and how much was left out said; no reasons, no idle digits. */
export function brief(value: unknown): unknown {
  if (typeof value === "number") return usable(value);
  if (Array.isArray(value)) {
    const first = value.slice(0, LISTED).map(brief);
    return value.length > LISTED ? [...first, `and ${value.length - LISTED} more`] : first;
  }
  if (value === null || typeof value !== "object") return value;
  const told = Object.entries(value).filter(([key]) => !REASONS.has(key));
  return Object.fromEntries(told.map(([key, one]) => [key, brief(one)]));
}
