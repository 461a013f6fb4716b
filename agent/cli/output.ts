import type { Composition } from "./composition.ts";

/** `--json` without FILE: standard output, and then nothing else on it. `--json FILE`: the file, beside the words. */
export type JsonOption = boolean | string | undefined;

/** Writes the result for machines if asked, and the words for people unless standard output is taken by JSON. */
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
  if (words.length > 0) to.terminal.out(`${words.join("\n")}\n`);
}
