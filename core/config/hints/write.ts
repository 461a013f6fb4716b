/**
 * How a hint says what to write, so that a person can type it and a program can apply it at the place that its problem names
 * (`test/core/config/mistakes/apply-hint.ts` applies each form):
 *
 * - `write X …`: X in the place of the value there (of the key, where the place is a key);
 * - `did you mean X?`: the same for one word;
 * - `add KEY: X …`: a line in the map there;
 * - `insert "X" here`, `indent it with N spaces`, `put it in quotes`, `remove it`, `remove this line`.
 */
export const write = (text: string, more = ""): string => `write ${text}${more}`;

/** A text as YAML takes it in any place: in double quotes, which JSON's are. */
export const quoted = (text: string): string => JSON.stringify(text);

/** `write 5`: at least or at most so much, where that end is allowed. */
export const orMore = (least: number | string): string => write(String(least), " or more");
export const orLess = (most: number | string): string => write(String(most), " or less");

/** Of the choices for a key that has to be said, what lets the least happen comes first: it may be taken as it is. */
const CAREFUL = ["observe", "approve", "notify_and_recommend"];

/** `add provider: anthropic (or openai)`. */
export function addOneOf(key: string, choices: readonly string[]): string {
  const [first = "", ...others] = choices.toSorted((one, other) => rank(one) - rank(other));
  return `add ${key}: ${first}${others.length === 0 ? "" : ` (or ${others.join(", ")})`}`;
}

const rank = (choice: string): number => (CAREFUL.includes(choice) ? 0 : 1);
