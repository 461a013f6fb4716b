import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as pause } from "node:timers/promises";

/** Held until released: a connection that nobody refers to would be collected as garbage, and its lock with it. */
const held = new Set<DatabaseSync>();

/** Asked again so often, in milliseconds, while somebody else holds the lock. */
const ASK_EVERY = 20;

/** SQLite's result codes for a lock that somebody else holds: SQLITE_BUSY and its extensions end in 5. */
const BUSY = 5;

export interface FileLock {
  release(): void;
}

/**
 * Takes the lock that `file` stands for, or answers null where somebody holds it, in this process or another. The lock
 * is an exclusive SQLite transaction on that file: the operating system ends it with the process, however that ends.
 * The file's folder must exist; the file is made and left. Throws what SQLite throws where it cannot be opened.
 */
export function tryFileLock(file: string): FileLock | null {
  const database = new DatabaseSync(file, { timeout: 0 });
  try {
    database.exec("begin exclusive");
  } catch (cause) {
    database.close();
    if (isBusy(cause)) return null;
    throw cause;
  }
  held.add(database);
  return {
    release: () => {
      if (held.delete(database)) database.close();
    },
  };
}

/**
 * Whether somebody holds the lock that `file` stands for, in this process or another. Takes nothing and writes nothing,
 * so that reading the file is enough; false where it is not there. Throws what SQLite throws where it cannot be read.
 * Whoever takes the lock at this very moment may find it held: ask of locks that are taken before others know of them.
 */
export function isLocked(file: string): boolean {
  if (!existsSync(file)) return false;
  const database = new DatabaseSync(file, { readOnly: true, timeout: 0 });
  try {
    database.exec("select 1 from sqlite_schema");
    return false;
  } catch (cause) {
    if (isBusy(cause)) return true;
    throw cause;
  } finally {
    database.close();
  }
}

/**
 * Runs `work` while nobody else, in this process or another, holds the lock of `file`; waits for it up to
 * `timeoutMs`. The file's folder is made where it is missing. Throws where the lock does not come free in time, where
 * the file cannot be opened, and whatever `work` throws.
 */
export async function exclusively<T>(file: string, timeoutMs: number, work: () => Promise<T>): Promise<T> {
  await mkdir(dirname(file), { recursive: true });
  const lock = await waitFor(file, timeoutMs);
  try {
    return await work();
  } finally {
    lock.release();
  }
}

async function waitFor(file: string, timeoutMs: number): Promise<FileLock> {
  for (let waited = 0; waited <= timeoutMs; waited += ASK_EVERY) {
    const lock = tryFileLock(file);
    if (lock !== null) return lock;
    await pause(ASK_EVERY);
  }
  throw new Error(`another process has held ${file} for longer than ${timeoutMs / 1000} s`);
}

function isBusy(cause: unknown): boolean {
  return cause instanceof Error && "errcode" in cause && Number(cause.errcode) % 256 === BUSY;
}
