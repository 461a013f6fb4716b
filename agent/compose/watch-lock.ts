import { UnshipError } from "../../core/errors.ts";
import { type FileLock, tryFileLock } from "../../knowledge/file-lock.ts";
import { unavailable } from "../../knowledge/ledger/failures.ts";
import { ledgerFile } from "../../knowledge/ledger/ledger-file.ts";

/** The right to be the one watch of a ledger. */
export interface WatchLock {
  /** Aborts when the lock is gone though nobody released it: from then on another watch may hold it. */
  readonly lost: AbortSignal;
  release(): Promise<void>;
}

/** Where the ledger lies: a SQLite file, or a PostgreSQL server by a URL that no message may quote. */
export type WatchedLedger = { readonly file: string } | { readonly url: string; readonly name: string };

/**
 * Makes sure that one watch works on a ledger: two would each take the other's open incidents for their own. The lock
 * lies on a file beside the ledger, or with the server, and is held as long as the process lives (and its connection
 * holds). Throws "watch.running" where another watch holds it, and "ledger.unavailable" where the server is down, or the
 * file cannot be used.
 */
export async function lockWatch(ledger: WatchedLedger): Promise<WatchLock> {
  if ("url" in ledger) {
    const { tryWatchLock } = await import("../../knowledge/ledger/postgres-lock.ts");
    const lock = await tryWatchLock(ledger.url);
    if (lock === null) throw new UnshipError("watch.running", { ledger: ledger.name });
    return lock;
  }
  const never = new AbortController().signal;
  const lock = lockBeside(ledger.file);
  if (lock === null) throw new UnshipError("watch.running", { ledger: ledger.file });
  return { lost: never, release: async () => lock.release() };
}

/** Beside the file's one name: a watch that calls it by a link finds the same lock. */
function lockBeside(file: string): FileLock | null {
  const lock = `${ledgerFile(file)}.watch`;
  try {
    return tryFileLock(lock);
  } catch (error) {
    throw unavailable(error, "opened");
  }
}
