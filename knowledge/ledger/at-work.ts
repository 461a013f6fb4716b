import { randomUUID } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { MODES, type Mode } from "../../core/config/config.ts";
import { isLocked, tryFileLock } from "../file-lock.ts";
import { unavailable } from "./failures.ts";
import { ledgerFile } from "./ledger-file.ts";

/** What a process that may execute plans is: a watch, the gate as a process of its own, or an MCP server. */
export const WORK = ["watch", "gate", "mcp"] as const;
export type Work = (typeof WORK)[number];

/** One process that may execute plans on a ledger, and so obeys its pauses. */
export interface AtWork {
  readonly work: Work;
  readonly pid: number;
  readonly host: string;
  /** Unix ms. */
  readonly since: number;
  /** Its mode, which `--mode` may have set; null: a process of an earlier version, which did not say. */
  readonly mode: Mode | null;
  /** Whether `--mode` set it; null: it did not say. */
  readonly modeIsAsked: boolean | null;
  /** The version of the configuration that it obeys; null: it did not say. */
  readonly version: string | null;
}

/** The same beside a file of this machine. */
export interface AtWorkHere extends AtWork {
  /** The configuration file that it read, an absolute path; null: it did not say. */
  readonly file: string | null;
}

/** What a process obeys, as it says itself. */
export interface Obeyed {
  readonly mode: Mode;
  readonly modeIsAsked?: true;
  /** Letters and digits; absent: its configuration came from no file. */
  readonly version?: string;
  readonly file?: string;
}

export interface Announced {
  withdraw(): Promise<void>;
}

/** `file`: which file of the disk it opened, so that a ledger put in its place is not taken for it. */
const Note = z.object({
  work: z.enum(WORK),
  pid: z.number(),
  host: z.string(),
  since: z.number(),
  mode: z.enum(MODES).nullable().default(null),
  modeIsAsked: z.boolean().nullable().default(null),
  version: z.string().nullable().default(null),
  config: z.string().nullable().default(null),
  file: z.string(),
});

/**
 * Says beside a ledger's SQLite file that this process may execute plans on it, and what it obeys, until withdrawn. A lock that ends with
 * the process vouches for it, so a killed one is not taken for running. The ledger has been opened before.
 * Throws `ledger.unavailable` where it cannot be written there.
 */
export function announce(path: string, work: Work, obeyed: Obeyed): Announced {
  const { mode, modeIsAsked, version, file } = obeyed;
  try {
    const ledger = ledgerFile(path);
    const folder = folderOf(ledger);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const name = randomUUID();
    const lock = tryFileLock(join(folder, `${name}.lock`));
    const note = {
      ...{ work, pid: process.pid, host: hostname(), since: Date.now(), file: identity(ledger) },
      ...{ mode, modeIsAsked: modeIsAsked === true, version: version ?? null, config: file ?? null },
    };
    // Locked before anybody can read of it, and read whole or not at all.
    writeFileSync(join(folder, `${name}.tmp`), JSON.stringify(note));
    renameSync(join(folder, `${name}.tmp`), join(folder, `${name}.json`));
    return {
      async withdraw() {
        remove(folder, name);
        lock?.release();
      },
    };
  } catch (error) {
    throw unavailable(error, "opened");
  }
}

/**
 * Which processes of this machine may execute plans on a ledger's SQLite file at this moment, the longest at work
 * first. Throws `ledger.unavailable` where that cannot be read.
 */
export function atWork(path: string): readonly AtWorkHere[] {
  try {
    const ledger = ledgerFile(path);
    const folder = folderOf(ledger);
    const file = identity(ledger);
    const names = entriesOf(folder).flatMap((one) => (one.endsWith(".json") ? [one.slice(0, -".json".length)] : []));
    const running = names.flatMap((name) => {
      if (!isLocked(join(folder, `${name}.lock`))) {
        remove(folder, name);
        return [];
      }
      const note = noteIn(join(folder, `${name}.json`));
      return note === null || note.file !== file ? [] : [note];
    });
    return running
      .map(({ config, ...one }) => ({ ...one, file: config }))
      .toSorted((one, other) => one.since - other.since);
  } catch (error) {
    throw unavailable(error, "read");
  }
}

const folderOf = (ledger: string): string => `${ledger}-at-work`;

function identity(ledger: string): string {
  // A number of an inode is used again once nobody holds it.
  const { dev, ino, birthtimeNs } = statSync(ledger, { bigint: true });
  return `${dev}:${ino}:${birthtimeNs}`;
}

function entriesOf(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw error;
  }
}

/** null: it has gone meanwhile, or is none of ours. */
function noteIn(path: string): z.infer<typeof Note> | null {
  try {
    return Note.safeParse(JSON.parse(readFileSync(path, "utf8"))).data ?? null;
  } catch {
    return null;
  }
}

/** What a process left that runs no more; whoever may not remove it leaves it to others. */
function remove(folder: string, name: string): void {
  for (const ending of ["json", "lock"]) {
    try {
      rmSync(join(folder, `${name}.${ending}`), { force: true });
    } catch {
      // Not ours to remove, and harmless.
    }
  }
}
