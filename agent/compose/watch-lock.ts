import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { UnshipError } from "../../core/errors.ts";

/** Held until released: a connection that nobody refers to would be collected as garbage, and its lock with it. */
const held = new Set<DatabaseSync>();

/**
 * Makes sure that one watch works on a ledger: two would each take the other's open incidents for their own. The lock
 * is an exclusive transaction on a file beside the ledger, held as long as the process lives; the operating system
 * ends it with the process, however that ends. Throws "watch.running" where another watch holds it.
 */
export function lockWatch(ledgerPath: string): { release(): void } {
  if (ledgerPath === ":memory:") return { release: () => undefined };
  mkdirSync(dirname(ledgerPath), { recursive: true, mode: 0o700 });
  const database = new DatabaseSync(`${ledgerPath}.watch`, { timeout: 0 });
  try {
    database.exec("begin exclusive");
  } catch (cause) {
    database.close();
    throw new UnshipError("watch.running", { ledger: ledgerPath }, { cause });
  }
  held.add(database);
  return {
    release: () => {
      held.delete(database);
      database.close();
    },
  };
}
