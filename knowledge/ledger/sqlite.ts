import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { CompiledQuery, Kysely } from "kysely";
import { UnshipError } from "../../core/errors.ts";
import type { GateStore } from "../../core/guardrails/gate-store.ts";
import type { Clock, Ledger } from "../../core/ports.ts";
import { nodeSqliteDialect, openDatabase, unavailable } from "./node-sqlite.ts";
import { createLedger } from "./sql-ledger.ts";
import { type LedgerTables, SCHEMA_VERSION, SQLITE_SCHEMA } from "./tables.ts";

/** The computer's own clock: what the ledger's time follows, but never backwards. */
const systemClock: Clock = { now: () => Date.now() };

/**
 * Opens the ledger in a SQLite file, made if it does not exist (its folder too); safe for several processes on one
 * machine. ":memory:" keeps it in this process alone, for replay. `clock`: where its time comes from; replay passes
 * its own, so that the same bundle gives the same ledger.
 *
 * Throws `ledger.unavailable` where the file cannot be used or was written by a newer unship.
 */
export async function openSqliteLedger(
  path: string,
  options: { readonly clock?: Clock } = {},
): Promise<Ledger & GateStore> {
  if (path !== ":memory:") makeFolder(dirname(path));
  const database = new Kysely<LedgerTables>({ dialect: nodeSqliteDialect(await openDatabase(path)) });
  try {
    await migrate(database, path);
  } catch (error) {
    await database.destroy();
    throw unavailable(error);
  }
  return createLedger(database, options.clock ?? systemClock);
}

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw unavailable(error);
  }
}

async function migrate(database: Kysely<LedgerTables>, path: string): Promise<void> {
  await database.transaction().execute(async (tx) => {
    const answer = await tx.executeQuery<{ user_version: number }>(CompiledQuery.raw("pragma user_version"));
    const version = answer.rows[0]?.user_version ?? 0;
    if (version === SCHEMA_VERSION) return;
    if (version !== 0) {
      const reason = `${path} has schema ${version}, and this unship writes schema ${SCHEMA_VERSION}`;
      throw new UnshipError("ledger.unavailable", { reason });
    }
    for (const statement of SQLITE_SCHEMA) await tx.executeQuery(CompiledQuery.raw(statement));
    await tx.executeQuery(CompiledQuery.raw(`pragma user_version = ${SCHEMA_VERSION}`));
  });
}
