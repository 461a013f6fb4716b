import { join } from "node:path";
import { expect } from "vitest";

/** Where the screens are kept: a file a surface and state. */
export const SHOWN = join(import.meta.dirname, "shown");

/** What stands for a state that a story did not come to. */
export const NOT_REACHED = "NOT REACHED";

/** The end of the ledger is another one in each process: a reservation names the process that made it. */
const withoutHead = (text: string): string =>
  text.replaceAll(/(Head: |the last with hash `)[0-9a-f]{16,64}/g, (_, before: string) => `${before}0123456789abcdef`);

/** Holds what a person sees against the file of this name; `vitest -u` writes it anew, for somebody to read. */
export async function shows(file: string, parts: string | readonly string[]): Promise<void> {
  // A story that never came to the state shows nothing, which is no screen.
  expect(parts, file).not.toBe(NOT_REACHED);
  const text = (typeof parts === "string" ? [parts] : parts).map((part) => part.trimEnd()).join("\n\n");
  const ends = withoutHead(text)
    .split("\n")
    .map((line) => line.trimEnd());
  await expect(`${ends.join("\n")}\n`).toMatchFileSnapshot(join(SHOWN, file));
}
