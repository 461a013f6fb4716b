import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import { setTimeout as delay } from "node:timers/promises";
import {
  CompiledQuery,
  type DatabaseConnection,
  type QueryResult,
  type SqliteDatabase,
  SqliteDialect,
  SqliteDriver,
  type SqliteStatement,
} from "kysely";
import { UnshipError } from "../../core/errors.ts";
import { isBatch, isLater } from "./batch.ts";
import { unavailable } from "./failures.ts";
import { type FileQueue, openFileQueue } from "./file-queue.ts";
import { withKeptReads } from "./private-reads.ts";
import { BUSY_PATIENCE_MS, inTurn, isBusy } from "./turns.ts";

/**
 * The first release without the WAL-reset corruption that several writers on one file could run into.
 * @see https://sqlite.org/wal.html#walresetbug
 */
const OLDEST_SQLITE = [3, 51, 3] as const;

/** How long SQLite itself may block the thread for a lock. Short, because the event loop stands still meanwhile. */
const BUSY_BLOCK_MS = 20;
/** Waits between tries are drawn up to here, so that waiting processes do not move in step. */
const BUSY_PAUSE_MS = 6;
/** Distinct statements are few; the cap only bounds a mistake. */
const STATEMENTS_KEPT = 200;

/**
 * Opens a SQLite file for several processes: WAL, and an fsync before each commit returns. ":memory:" is private and
 * holds no lock. Throws `ledger.unavailable` where the file cannot be used or SQLite is too old.
 */
export async function openDatabase(path: string): Promise<DatabaseSync> {
  try {
    const database = new DatabaseSync(path, { timeout: BUSY_BLOCK_MS });
    try {
      refuseOld(database);
      await whenFree(() => {
        database.exec("pragma journal_mode = wal");
        database.exec("pragma synchronous = full");
        database.exec("pragma trusted_schema = off");
      });
      return database;
    } catch (error) {
      database.close();
      throw error;
    }
  } catch (error) {
    throw error instanceof UnshipError ? error : unavailable(error, "opened");
  }
}

/**
 * Kysely's SQLite dialect over `node:sqlite`, with transactions that take the write lock at once, in the order in which
 * they asked for it over all processes that opened `path`. SQLite's own wait sleeps ever longer between its looks, so
 * that whoever came last wins: under four processes its slowest insert takes hundreds of times its median.
 * @see https://sqlite.org/src/file/src/main.c `sqliteDefaultBusyCallback`
 */
export function nodeSqliteDialect(database: DatabaseSync, path: string): SqliteDialect {
  return new NodeSqliteDialect(database, path === ":memory:" ? null : openFileQueue(path));
}

class NodeSqliteDialect extends SqliteDialect {
  readonly #database: DatabaseSync;
  readonly #queue: FileQueue | null;

  constructor(database: DatabaseSync, queue: FileQueue | null) {
    super({ database: adapt(database) });
    this.#database = database;
    this.#queue = queue;
  }

  override createDriver(): SqliteDriver {
    return new ImmediateDriver(this.#database, this.#queue);
  }
}

/** Deferred transactions that begin with a read fail when another writer was faster; immediate ones wait first. */
class ImmediateDriver extends SqliteDriver {
  readonly #database: DatabaseSync;
  readonly #queue: FileQueue | null;

  constructor(database: DatabaseSync, queue: FileQueue | null) {
    const adapted = adapt(database);
    // Without a queue nobody else can open it.
    super({ database: queue === null ? { ...adapted, prepare: withKeptReads(adapted.prepare) } : adapted });
    this.#database = database;
    this.#queue = queue;
  }

  override async acquireConnection(): Promise<DatabaseConnection> {
    return new BatchConnection(await super.acquireConnection());
  }

  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    const begin = () => connection.executeQuery(CompiledQuery.raw("begin immediate"));
    if (this.#queue === null) {
      await begin();
      return;
    }
    // The queue does the waiting; the database's own would let others pass.
    this.#database.exec("pragma busy_timeout = 0");
    try {
      await inTurn(this.#queue, begin);
    } finally {
      this.#database.exec(`pragma busy_timeout = ${BUSY_BLOCK_MS}`);
    }
  }
}

/** Runs statements that come together one after the other: in a file each costs no way anywhere. */
class BatchConnection implements DatabaseConnection {
  readonly #one: DatabaseConnection;

  constructor(one: DatabaseConnection) {
    this.#one = one;
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    if (isLater(query)) return this.#one.executeQuery(query.later);
    if (!isBatch(query)) return this.#one.executeQuery(query);
    await query.run(async <O>(one: CompiledQuery<O>) => (await this.#one.executeQuery<O>(one)).rows);
    return { rows: [] };
  }

  streamQuery<R>(query: CompiledQuery, chunkSize: number): AsyncIterableIterator<QueryResult<R>> {
    return this.#one.streamQuery(query, chunkSize);
  }
}

/** Tries again, without blocking the thread for long, while another connection holds the lock. */
async function whenFree<T>(attempt: () => T | Promise<T>): Promise<T> {
  const patience = AbortSignal.timeout(BUSY_PATIENCE_MS);
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!isBusy(error) || patience.aborted) throw error;
      await delay(1 + Math.random() * BUSY_PAUSE_MS);
    }
  }
}

function refuseOld(database: DatabaseSync): void {
  const version = String(database.prepare("select sqlite_version() as version").get()?.version);
  const parts = version.split(".").map(Number);
  const difference = OLDEST_SQLITE.map((wanted, index) => (parts[index] ?? 0) - wanted).find((one) => one !== 0) ?? 0;
  if (difference >= 0) return;
  const reason = `SQLite ${version} can corrupt a file that several processes write; ${OLDEST_SQLITE.join(".")} is needed, which Node 22.23 and 24 bring`;
  throw new UnshipError("ledger.unavailable", { use: "opened", reason });
}

function adapt(database: DatabaseSync): SqliteDatabase {
  const kept = new Map<string, SqliteStatement>();
  return {
    close: () => database.close(),
    prepare(sql) {
      const known = kept.get(sql);
      if (known !== undefined) return known;
      if (kept.size >= STATEMENTS_KEPT) kept.clear();
      const statement = adaptStatement(database.prepare(sql));
      kept.set(sql, statement);
      return statement;
    },
  };
}

function adaptStatement(statement: StatementSync): SqliteStatement {
  return {
    reader: statement.columns().length > 0,
    all: (parameters) => statement.all(...parameters.map(bindable)),
    run: (parameters) => statement.run(...parameters.map(bindable)),
    iterate: (parameters) => statement.iterate(...parameters.map(bindable)),
  };
}

function bindable(value: unknown): SQLInputValue {
  if (value === null || typeof value === "string" || typeof value === "number" || typeof value === "bigint") {
    return value;
  }
  throw new TypeError(`a ${typeof value} cannot be bound`);
}
