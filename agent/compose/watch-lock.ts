import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { UnshipError } from "../../core/errors.ts";
import { type FileLock, tryFileLock } from "../../knowledge/file-lock.ts";

/**
 * Makes sure that one watch works on a ledger: two would each take the other's open incidents for their own. The lock
 * lies on a file beside the ledger and is held as long as the process lives. Throws "watch.running" where another
 * watch holds it.
 */
export function lockWatch(ledgerPath: string): FileLock {
  if (ledgerPath === ":memory:") return { release: () => undefined };
  mkdirSync(dirname(ledgerPath), { recursive: true, mode: 0o700 });
  const lock = tryFileLock(`${ledgerPath}.watch`);
  if (lock === null) throw new UnshipError("watch.running", { ledger: ledgerPath });
  return lock;
}
