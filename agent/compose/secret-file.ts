import { readFileSync, statSync } from "node:fs";
import { UnshipError } from "../../core/errors.ts";

/** Group and others: a personal token that they can read is no longer personal. */
const OTHERS = 0o077;

/** Reads a personal token from a file. Throws "approval.refused" where others than its owner can read it, or nobody can. */
export async function readSecretFile(path: string): Promise<string> {
  try {
    if ((statSync(path).mode & OTHERS) !== 0) {
      throw new UnshipError("approval.refused", { reason: `others can read ${path}: chmod 600 it` });
    }
    return readFileSync(path, "utf8");
  } catch (cause) {
    if (cause instanceof UnshipError) throw cause;
    throw new UnshipError("approval.refused", { reason: `${path} cannot be read` }, { cause });
  }
}
