import { createHash } from "node:crypto";
import { type CompiledQuery, type DatabaseConnection, type Driver, PostgresDialect, type QueryResult } from "kysely";
import type pg from "pg";
import { type Ask, isBatch, isLater } from "./batch.ts";

/** Distinct statements are few; the cap only bounds a mistake. */
const NAMES_KEPT = 500;

/**
 * What a server, or a pooler before it, answers where it does not keep prepared statements for this connection, or where
 * a table changed under one. @see https://www.postgresql.org/docs/15/errcodes-appendix.html
 */
const NOT_KEPT = new Set(["26000", "42P05", "0A000"]);

/** Opens a transaction and waits for its turn, with one message. */
const BEGIN = "begin isolation level repeatable read; lock table head in exclusive mode";
/** The same; its commit does not wait for the disk. */
const BEGIN_MARKED = `${BEGIN}; set local synchronous_commit = off`;

/** The least that the server writes to its log: its own transaction, which commits as the role's settings say. */
const MAKE_DURABLE = "select pg_logical_emit_message(true, 'unship', '')";

/**
 * Kysely's PostgreSQL dialect, with transactions that run one after the other among all that write the ledger: each
 * first of all locks the table that every writer updates, for whoever writes; readers are not held up. LOCK TABLE takes
 * no snapshot, so that the one snapshot of the transaction is taken after its turn has come, and holds what the one
 * before it committed. Being serial is more than the level SERIALIZABLE would give, which on top of the lock only fails
 * transactions that did not conflict (it still takes the one before for a concurrent one in the moment of its commit).
 * @see https://www.postgresql.org/docs/15/applevel-consistency.html#NON-SERIALIZABLE-CONSISTENCY
 *
 * Others wait while one transaction talks to the server, so it talks little: its beginning goes with its first reads,
 * its writes with its commit, its statements are prepared once a connection. The pool needs `pipeline: true`.
 *
 * Nor do they wait for its fsync. It commits without one, which ends its turn, and then waits for one commit after it
 * that has one: the log is written in order, so what follows is durable only together with all before it. Nobody is told
 * of a commit before that, and a turn that began on what is not durable yet ends with an fsync that covers both.
 * @see https://www.postgresql.org/docs/15/wal-async-commit.html
 */
export class SerialPostgresDialect extends PostgresDialect {
  readonly #pool: pg.Pool;

  readonly #mayMark: boolean;

  /** `mayMark`: whether the role may write marks to the server's log; without, a turn lasts until its fsync is done. */
  constructor({ pool, mayMark }: { readonly pool: pg.Pool; readonly mayMark: boolean }) {
    super({ pool });
    this.#pool = pool;
    this.#mayMark = mayMark;
  }

  override createDriver(): Driver {
    return new SerialDriver(this.#pool, this.#mayMark);
  }
}

class SerialDriver implements Driver {
  readonly #pool: pg.Pool;
  readonly #names = new StatementNames();
  readonly #held = new WeakMap<DatabaseConnection, PipelinedConnection>();

  readonly #mayMark: boolean;

  constructor(pool: pg.Pool, mayMark: boolean) {
    this.#pool = pool;
    this.#mayMark = mayMark;
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    const connection = new PipelinedConnection(await this.#pool.connect(), this.#names, this.#mayMark);
    this.#held.set(connection, connection);
    return connection;
  }

  async beginTransaction(connection: DatabaseConnection): Promise<void> {
    this.#own(connection).begin();
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    await this.#own(connection).commit();
  }

  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    await this.#own(connection).rollback();
  }

  async releaseConnection(connection: DatabaseConnection): Promise<void> {
    this.#own(connection).release();
  }

  async destroy(): Promise<void> {
    await this.#pool.end();
  }

  #own(connection: DatabaseConnection): PipelinedConnection {
    const held = this.#held.get(connection);
    if (held === undefined) throw new Error("not a connection of this driver");
    return held;
  }
}

/** One connection of the pool, from its acquisition to its release. */
class PipelinedConnection implements DatabaseConnection {
  readonly #client: pg.PoolClient;
  readonly #names: StatementNames;
  /** The transaction begins with the next statement. */
  #opening = false;
  #backlog: CompiledQuery[] = [];
  #wrote = false;
  #broken = false;

  readonly #mayMark: boolean;

  constructor(client: pg.PoolClient, names: StatementNames, mayMark: boolean) {
    this.#client = client;
    this.#names = names;
    this.#mayMark = mayMark;
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    if (isLater(query)) {
      // No write may be on its way before it is certain that a transaction is open and alone.
      if (this.#opening) await inOrder(this.#flush());
      this.#backlog.push(query.later);
      return { rows: [] };
    }
    if (isBatch(query)) {
      const ask: Ask = async (one) => (await this.#send(one)).rows;
      const before = this.#flush();
      await inOrder([...before, query.run(ask)]);
      return { rows: [] };
    }
    const before = this.#flush();
    const sent = this.#send(query);
    await inOrder([...before, sent]);
    const { command, rowCount, rows } = await sent;
    return WRITES.has(command) ? { numAffectedRows: BigInt(rowCount ?? 0), rows } : { rows };
  }

  // biome-ignore lint/correctness/useYield: the ledger reads in pages, nothing streams.
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error("this connection does not stream");
  }

  begin(): void {
    this.#opening = true;
    this.#wrote = false;
  }

  async commit(): Promise<void> {
    const wrote = this.#wrote || this.#backlog.length > 0;
    const before = this.#flush();
    const done = this.#client.query("commit");
    const durable = wrote && this.#mayMark ? [this.#client.query(MAKE_DURABLE)] : [];
    await inOrder([...before, done, ...durable]);
    // The server ends a transaction that failed before with a rollback, and calls that success.
    if ((await done).command !== "COMMIT") throw new Error("the transaction was rolled back by the server");
  }

  async rollback(): Promise<void> {
    this.#opening = false;
    this.#backlog = [];
    try {
      await this.#client.query("rollback");
    } catch (error) {
      this.#broken = true;
      throw error;
    }
  }

  release(): void {
    this.#client.release(this.#broken);
  }

  #flush(): readonly Promise<unknown>[] {
    const opened = this.#opening ? [this.#client.query(this.#mayMark ? BEGIN_MARKED : BEGIN)] : [];
    const written = this.#backlog.map((query) => this.#send(query));
    this.#opening = false;
    this.#backlog = [];
    return [...opened, ...written];
  }

  async #send({ sql, parameters }: CompiledQuery): Promise<pg.QueryResult> {
    const name = this.#names.of(sql);
    try {
      const sent = { text: sql, values: [...parameters], ...(name === null ? {} : { name }) };
      const result = await this.#client.query(sent);
      this.#wrote ||= result.command !== "SELECT";
      return result;
    } catch (error) {
      this.#names.heed(error);
      throw error;
    }
  }
}

const WRITES = new Set(["INSERT", "UPDATE", "DELETE"]);

/** Waits for all; throws the error of the first that failed: in a transaction the later ones only say that one did. */
async function inOrder(sent: readonly Promise<unknown>[]): Promise<void> {
  for (const outcome of await Promise.allSettled(sent)) {
    if (outcome.status === "rejected") throw outcome.reason;
  }
}

/** The names under which a connection's statements are prepared: one a text, the same on each connection. */
class StatementNames {
  readonly #names = new Map<string, string>();
  #kept = true;

  of(sql: string): string | null {
    if (!this.#kept) return null;
    const known = this.#names.get(sql);
    if (known !== undefined) return known;
    if (this.#names.size >= NAMES_KEPT) return null;
    // A pooler may hand one server connection to several processes: the same name must mean the same text to all.
    const name = `unship_${createHash("sha256").update(sql).digest("hex").slice(0, 32)}`;
    this.#names.set(sql, name);
    return name;
  }

  /** After an error of a prepared statement that is not kept, goes on without; the transaction that met it failed. */
  heed(error: unknown): void {
    if (error instanceof Error && "code" in error && NOT_KEPT.has(String(error.code))) this.#kept = false;
  }
}
