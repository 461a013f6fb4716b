import { writeFileSync } from "node:fs";
import { UnshipError } from "../../core/errors.ts";

/** Writes a text where nothing is yet, or over what is there (`replace`). Throws `input.invalid`, which says how to go on. */
export async function writeNew(path: string, text: string, { replace }: { readonly replace: boolean }): Promise<void> {
  try {
    writeFileSync(path, text, { flag: replace ? "w" : "wx" });
  } catch (cause) {
    const isTaken = cause instanceof Error && "code" in cause && cause.code === "EEXIST";
    const reason = isTaken
      ? "it is there already; --force replaces it, --out writes elsewhere"
      : "it cannot be written there";
    throw new UnshipError("input.invalid", { what: path, reason }, { cause });
  }
}

/** Writes a text, over what is there. Throws `input.invalid`. */
export async function writeFile(path: string, text: string): Promise<void> {
  try {
    writeFileSync(path, text);
  } catch (cause) {
    throw new UnshipError("input.invalid", { what: path, reason: "it cannot be written there" }, { cause });
  }
}
