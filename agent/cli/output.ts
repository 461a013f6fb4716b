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
    to.terminal.out(`${JSON.stringify(value)}\n`);
    return;
  }
  if (typeof json === "string") await to.writeFile(json, `${JSON.stringify(value, null, 1)}\n`);
  say(to, words);
}

/**
 * Lines for a person. Words may quote logs and commit messages: nothing in them may steer the terminal, so control and
 * bidirectional characters go first (S11).
 */
export function say({ terminal }: Composition, words: readonly string[]): void {
  const safe = words.map(plain);
  const lines = terminal.isTty ? safe.flatMap((line) => wrap(line, terminal.columns)) : safe;
  if (lines.length > 0) terminal.out(`${lines.join("\n")}\n`);
}

/** Line breaks inside a text stay; every other control or format character (escapes, bells, bidirectional marks) goes. */
export function plain(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}]/gu, (character) => (character === "\n" ? character : " "));
}
