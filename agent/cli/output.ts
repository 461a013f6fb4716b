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

/** Lines for a person. */
export function say({ terminal }: Composition, words: readonly string[]): void {
  const lines = terminal.isTty ? words.flatMap((line) => wrap(line, terminal.columns)) : words;
  if (lines.length > 0) terminal.out(`${lines.join("\n")}\n`);
}
