import { setTimeout as delay } from "node:timers/promises";
import type { FileQueue } from "./file-queue.ts";

/** How long a transaction may wait for its turn before the ledger counts as unavailable. */
export const BUSY_PATIENCE_MS = 15_000;
/** Whoever is next looks this often whether the lock is free, asleep but in place, ... */
const NEXT_PAUSE_MS = 0.25;
/** ... for so long; then by timers, so that the event loop goes on: most transactions are shorter. */
const NEXT_BLOCK_MS = 2;
/** Whoever is not next looks this often whether they are; the shortest that a timer can. */
const QUEUE_PAUSE_MS = 1;
/** A first in the queue who has not moved for so long may be dead or frozen: those behind try too. */
export const SLOW_MS = 100;

/** Begins a transaction when its turn has come. Throws what `begin` throws, "busy" after `BUSY_PATIENCE_MS`. */
export async function inTurn(queue: FileQueue, begin: () => Promise<unknown>): Promise<void> {
  if (queue.empty() && (await begun(begin))) return;
  const ticket = queue.join();
  const joined = performance.now();
  let served: { readonly name: string | null; readonly since: number } = { name: null, since: joined };
  try {
    for (;;) {
      const name = ticket.ahead();
      const now = performance.now();
      if (name !== served.name) served = { name, since: now };
      const slow = now - served.since >= SLOW_MS;
      const last = now - joined >= BUSY_PATIENCE_MS;
      if (name === null || slow || last) {
        if (await begun(begin, last)) {
          if (name !== null) ticket.strike(name);
          return;
        }
      }
      if (name === null && now - served.since < NEXT_BLOCK_MS) Atomics.wait(NEVER, 0, 0, NEXT_PAUSE_MS);
      else await delay(QUEUE_PAUSE_MS);
    }
  } finally {
    ticket.leave();
  }
}

/** Nobody ever notifies it: a wait on it is a sleep. */
const NEVER = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));

/** Whether the lock was free. Throws where the trouble is another one, or where it was the `last` try. */
async function begun(begin: () => Promise<unknown>, last = false): Promise<boolean> {
  try {
    await begin();
    return true;
  } catch (error) {
    if (!isBusy(error) || last) throw error;
    return false;
  }
}

/** SQLITE_BUSY and its extended codes. @see https://sqlite.org/rescode.html#busy */
export function isBusy(error: unknown): boolean {
  return (
    error instanceof Error && "errcode" in error && typeof error.errcode === "number" && (error.errcode & 0xff) === 5
  );
}
