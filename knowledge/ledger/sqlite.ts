import { DatabaseSync, type StatementSync } from "node:sqlite";
import { CompiledQuery, Kysely, type Transaction } from "kysely";
import type { Clock } from "../../core/ports.ts";
import { createFailures, unavailable } from "./failures.ts";
import type { SigningKey } from "./head-key.ts";
import { ledgerFile } from "./ledger-file.ts";
import { type Migratable, migrate, SQLITE, statementsOf } from "./migrations.ts";
import { nodeSqliteDialect, openDatabase } from "./node-sqlite.ts";
import { type SchemaPart, type SchemaReader, SQLITE_PARTS } from "./schema.ts";
import { createLedger, type OwnLedger } from "./sql-ledger.ts";
import type { LedgerTables } from "./tables.ts";

/** The computer's own clock: what the ledger's time follows, but never backwards. */
const systemClock: Clock = { now: () => Date.now() };

/**
 * Opens the ledger in a SQLite file, made if it does not exist (its folder too); safe for several processes on one
 * machine. ":memory:" keeps it in this process alone, for replay. `clock`: where its time comes from; replay passes
 * its own, so that the same bundle gives the same ledger.
 *
 * `signingKey`: signs the ledger's end at each write, so that it shows who else wrote; absent: nobody does.
 *
 * Throws `ledger.unavailable` where the file cannot be used or was written by a newer unship.
 */
export async function openSqliteLedger(
  path: string,
  options: { readonly clock?: Clock; readonly signingKey?: () => SigningKey } = {},
): Promise<OwnLedger> {
  const place = path === ":memory:" ? path : ledgerFile(path);
  const failures = createFailures();
  const file = await openDatabase(place);
  const dialect = nodeSqliteDialect(file, place);
  const database = new Kysely<LedgerTables>({ dialect, log: failures.note });
  try {
    await database.transaction().execute((tx) => migrate(migratable(tx, path)));
  } catch (error) {
    await database.destroy();
    throw unavailable(error, "opened");
  }
  const clock = options.clock ?? systemClock;
  return createLedger({
    database,
    failures,
    clock,
    storeTime: async () => clock.now(),
    beginSnapshot: "begin",
    readNow: readerOf(file),
    schema: path === ":memory:" ? null : sqliteSchema,
    damage: integrity,
    ...(options.signingKey === undefined ? {} : { signingKey: options.signingKey }),
    close: () => database.destroy(),
  });
}

/** What the migrations make of an empty file, worded by the same SQLite. */
const sqliteSchema: SchemaReader = {
  found: (ask) => ask(SQLITE_PARTS),
  async expected() {
    const empty = new DatabaseSync(":memory:");
    try {
      for (const statement of statementsOf(SQLITE)) empty.exec(statement);
      const parts: readonly unknown[] = empty.prepare(SQLITE_PARTS.sql).all();
      return parts as readonly SchemaPart[];
    } finally {
      empty.close();
    }
  },
};

/** Whether each index says what its table says, among others. @see https://sqlite.org/pragma.html#pragma_integrity_check */
async function integrity(database: Kysely<LedgerTables>): Promise<readonly string[]> {
  const query: CompiledQuery<{ readonly integrity_check: string }> = CompiledQuery.raw("pragma integrity_check");
  const { rows } = await database.executeQuery(query);
  return rows.flatMap(({ integrity_check: text }) => (text === "ok" ? [] : [`SQLite finds the file damaged: ${text}`]));
}

/**
 * Queries without parameters, read past Kysely's queue: it takes longer than SQLite. Not within a transaction of ours,
 * where one would see what may yet be taken back; nor where the file is busy or closed, which the queue's way reports.
 */
function readerOf(file: DatabaseSync): <T>(query: CompiledQuery<T>) => readonly T[] | null {
  const statements = new WeakMap<object, StatementSync>();
  return <T>(query: CompiledQuery<T>) => {
    try {
      if (file.isTransaction) return null;
      const statement = statements.get(query) ?? file.prepare(query.sql);
      statements.set(query, statement);
      const rows: readonly unknown[] = statement.all();
      return rows as readonly T[];
    } catch {
      return null;
    }
  };
}

function migratable(tx: Transaction<LedgerTables>, name: string): Migratable {
  const execute = async (statement: string) => {
    await tx.executeQuery(CompiledQuery.raw(statement));
  };
  return {
    spelling: SQLITE,
    name,
    async version() {
      const answer = await tx.executeQuery<{ user_version: number }>(CompiledQuery.raw("pragma user_version"));
      return answer.rows[0]?.user_version ?? 0;
    },
    execute,
    setVersion: (version) => execute(`pragma user_version = ${version}`),
  };
}
