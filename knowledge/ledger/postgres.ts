import { CompiledQuery, Kysely } from "kysely";
import type pg from "pg";
import type { Clock } from "../../core/ports.ts";
import { createFailures, unavailable } from "./failures.ts";
import type { SigningKey } from "./head-key.ts";
import { type Migratable, migrate, POSTGRES, SCHEMA_VERSION } from "./migrations.ts";
import { mayMark, openPool, refuseUnsafe, withConnection } from "./node-postgres.ts";
import { SerialPostgresDialect } from "./postgres-dialect.ts";
import { postgresSchema } from "./postgres-schema.ts";
import { createLedger, type OwnLedger } from "./sql-ledger.ts";
import type { LedgerTables } from "./tables.ts";

const systemClock: Clock = { now: () => Date.now() };

/** Makes two processes that open an empty ledger at once take turns; any number that nothing else uses. */
const MIGRATION_LOCK = 7_385_190_621;

/** The server's clock, so that machines whose clocks differ share one time (S2). Unix ms. */
const SERVER_TIME: CompiledQuery<{ readonly now: number }> = CompiledQuery.raw(
  "select (extract(epoch from clock_timestamp()) * 1000)::bigint as now",
);

/**
 * Opens the ledger in a PostgreSQL database, in the schema that the connection's search path names first; its tables
 * are made where they are missing. Safe for any number of processes on any number of machines. `clock`: in place of
 * the server's, and `answerWithinMs`: how long one question may take, for tests. `signingKey`: signs the ledger's end at
 * each write; absent: nobody does.
 *
 * Throws "ledger.unavailable" where the server cannot be reached, can lose commits, or holds a newer unship's ledger,
 * and "input.invalid" where the URL is none.
 */
export async function openPostgresLedger(
  url: string,
  options: { readonly clock?: Clock; readonly answerWithinMs?: number; readonly signingKey?: () => SigningKey } = {},
): Promise<OwnLedger> {
  const { clock } = options;
  let marks = false;
  try {
    await withConnection(url, async (client) => {
      await refuseUnsafe(client);
      await prepare(client);
      marks = await mayMark(client);
    });
  } catch (error) {
    throw unavailable(error, "opened");
  }
  const pool = openPool(url, options.answerWithinMs);
  let closing: Promise<void> | null = null;
  const failures = createFailures();
  const database = new Kysely<LedgerTables>({
    dialect: new SerialPostgresDialect({ pool, mayMark: marks }),
    log: failures.note,
  });
  return createLedger({
    database,
    failures,
    clock: clock ?? systemClock,
    storeTime: async (ask) => clock?.now() ?? (await ask(SERVER_TIME))[0]?.now ?? Number.NaN,
    beginSnapshot: "begin isolation level repeatable read read only",
    schema: postgresSchema((use) => withConnection(url, use)),
    ...(options.signingKey === undefined ? {} : { signingKey: options.signingKey }),
    close: () => {
      // Kysely ends the pool only where it has used it.
      closing ??= database.destroy().then(() => (pool.ended ? undefined : pool.end()));
      return closing;
    },
  });
}

/** Makes or migrates the tables, where that is to be done: whoever only uses them needs no right to make any. */
async function prepare(client: pg.ClientBase): Promise<void> {
  if ((await versionOf(client)) === SCHEMA_VERSION) return;
  await client.query("begin");
  try {
    await client.query(`select pg_advisory_xact_lock(${MIGRATION_LOCK})`);
    await migrate(migratable(client));
    await client.query("commit");
  } catch (error) {
    await client.query("rollback");
    throw error;
  }
}

function migratable(client: pg.ClientBase): Migratable {
  const execute = async (statement: string) => {
    await client.query(statement);
  };
  return {
    spelling: POSTGRES,
    name: "the database",
    async version() {
      await execute("create table if not exists ledger_schema (version integer not null)");
      return versionOf(client);
    },
    execute,
    async setVersion(version) {
      await execute("delete from ledger_schema");
      await execute(`insert into ledger_schema values (${version})`);
    },
  };
}

/** The version of the tables in the schema that is named first; 0: there are none. */
async function versionOf(client: pg.ClientBase): Promise<number> {
  const made = "select from pg_catalog.pg_tables where schemaname = current_schema() and tablename = 'ledger_schema'";
  if ((await client.query(made)).rowCount === 0) return 0;
  const { rows } = await client.query<{ readonly version: number }>("select version from ledger_schema");
  return rows[0]?.version ?? 0;
}
