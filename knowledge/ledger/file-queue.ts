import { closeSync, mkdirSync, openSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";

/**
 * Whoever waits for the database's one write lock, in the order in which they came, over all processes of a machine. A
 * ticket is an empty file whose name begins with the machine's monotonic clock, so the first name is the oldest.
 *
 * It is a courtesy and guards nothing: the lock is the database's. A ticket lost or left behind costs patience, not
 * safety, and where the folder cannot be used everybody is first. So nothing here throws.
 */
export interface FileQueue {
  /** Whether nobody waits. */
  empty(): boolean;
  join(): Ticket;
}

export interface Ticket {
  /** The name of the ticket that is served next; null where it is this one. */
  ahead(): string | null;
  leave(): void;
  /** Takes away the ticket of somebody who did not come when it was their turn. */
  strike(name: string): void;
}

/** Nanoseconds since the machine's start in as many digits for thirty thousand years, so that names sort as numbers. */
const DIGITS = 21;

let tickets = 0;

/** The queue beside a database file, in a folder `<path>-queue` of its own, made when somebody first waits. */
export function openFileQueue(path: string): FileQueue {
  const folder = `${path}-queue`;
  const remove = (name: string) => quietly(() => rmSync(join(folder, name), { force: true }));
  return {
    empty: () => names(folder).length === 0,
    join() {
      const own = `${String(process.hrtime.bigint()).padStart(DIGITS, "0")}-${process.pid}-${tickets++}`;
      const stand = () => quietly(() => closeSync(openSync(join(folder, own), "a")));
      quietly(() => mkdirSync(folder, { recursive: true }));
      stand();
      return {
        ahead() {
          const waiting = names(folder);
          // Somebody took it away: this process was slow, not gone. The name still says since when it waits.
          if (!waiting.includes(own)) stand();
          const first = waiting.reduce((least, name) => (name < least ? name : least), own);
          return first === own ? null : first;
        },
        leave: () => remove(own),
        strike: remove,
      };
    },
  };
}

function names(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function quietly(act: () => void): void {
  try {
    act();
  } catch {
    // No queue, then: see above.
  }
}
