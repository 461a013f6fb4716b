import { escapeControls } from "../../core/model/untrusted-text.ts";
import type { Composition } from "./composition.ts";
import { wrap } from "./wrap.ts";

/** `--json` without FILE: standard output, and then nothing else on it. `--json FILE`: the file, beside the words. */
export type JsonOption = boolean | string | undefined;

/**
 * Writes the result for machines if asked, and the words for people unless standard output is taken by JSON. On a
 * terminal lines are broken to its width; into a pipe or a file they go as they are.
 */
export async function present(
  to: Composition,
  json: JsonOption,
  value: unknown,
  words: readonly string[],
): Promise<void> {
  if (json === true) {
    to.terminal.out(`${jsonText(value)}\n`);
    return;
  }
  if (typeof json === "string") await to.writeFile(json, `${JSON.stringify(value, null, 1)}\n`);
  say(to, words);
}

/**
 * JSON for standard output, which may be a terminal: characters that could steer one are escapes in it, which JSON's own
 * rules leave out for those beyond ASCII (RFC 8259, section 7). It parses to the same value.
 */
export const jsonText = (value: unknown): string =>
  JSON.stringify(value).replaceAll(/[\u007f-\u009f\p{Cf}\u2028\u2029]/gu, (one) =>
    [...Array(one.length).keys()].map((at) => `\\u${one.charCodeAt(at).toString(16).padStart(4, "0")}`).join(""),
  );

/**
 * Lines for a person, one each. Words may quote logs, labels and commit messages: nothing in them may steer the terminal or
 * begin a line that passes for one of ours, so line breaks, controls and bidirectional characters are shown as escapes (S11).
 */
export function say({ terminal }: Composition, words: readonly string[]): void {
  const safe = words.map(plain);
  const lines = terminal.isTty ? safe.flatMap((line) => wrap(line, terminal.columns)) : safe;
  if (lines.length > 0) terminal.out(`${lines.join("\n")}\n`);
}

/** A text as one line of a terminal, see `escapeControls`. */
export const plain = (text: string): string => escapeControls(text);

/** Several of them, each on a line of its own. */
export const plainLines = (lines: readonly string[]): string => lines.map(plain).join("\n");
