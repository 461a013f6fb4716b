import pg from "pg";
import { UnshipError } from "../../core/errors.ts";

/** How long a transaction may wait for its turn before the ledger counts as unavailable; as on SQLite. */
const LOCK_PATIENCE_MS = 15_000;
/** A server that has not answered by then is taken for down. */
const CONNECT_PATIENCE_MS = 10_000;
/**
 * A process that froze in the middle of a transaction would stop every other one; the server ends its transaction
 * after this. Longer than any pause that a loaded machine makes, shorter than a permit lives.
 */
const IDLE_PATIENCE_MS = 60_000;
/**
 * A question that was not answered by then: the server, or the way to it, is gone, which the system's own time-outs find
 * out after a quarter of an hour. Longer than any turn is waited for.
 */
const ANSWER_PATIENCE_MS = 60_000;
/** Writers take turns anyway; a few more read meanwhile. */
const CONNECTIONS = 4;
/** PostgreSQL 13 is the oldest that anyone still packages; older ones were never tried. */
const OLDEST_VERSION = 130_000;
/** Object id of PostgreSQL's bigint, which the driver hands out as text. */
const BIGINT = 20;

/** How each connection to the ledger's server is made. Throws "input.invalid" where the URL is none. */
export function connectionOf(url: string): pg.ClientConfig {
  // A URL may hold a password: no message quotes it (S10).
  if (!/^postgres(?:ql)?:\/\//.test(url)) {
    throw new UnshipError("input.invalid", { what: "ledger.url", reason: "it is no URL that begins with postgres://" });
  }
  return {
    connectionString: url,
    application_name: "unship",
    keepAlive: true,
    connectionTimeoutMillis: CONNECT_PATIENCE_MS,
    lock_timeout: LOCK_PATIENCE_MS,
    idle_in_transaction_session_timeout: IDLE_PATIENCE_MS,
  };
}

/** Runs `work` on a connection of its own, without a limit to how long one statement takes: new indices may take long. */
export async function withConnection<T>(url: string, work: (client: pg.ClientBase) => Promise<T>): Promise<T> {
  const client = new pg.Client(connectionOf(url));
  client.on("error", () => undefined);
  try {
    await client.connect();
    return await work(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** Connections to one server, made when they are first needed; a question unanswered after `answerWithinMs` fails. */
export function openPool(url: string, answerWithinMs = ANSWER_PATIENCE_MS): pg.Pool {
  const pool = new pg.Pool({
    ...connectionOf(url),
    query_timeout: answerWithinMs,
    max: CONNECTIONS,
    // Questions that were asked together are sent together.
    pipeline: true,
    // The ledger's whole numbers (Unix ms, entries) stay far below 2^53.
    types: {
      getTypeParser: ((id: number, format?: "text" | "binary") =>
        id === BIGINT ? Number : pg.types.getTypeParser(id, format)) as typeof pg.types.getTypeParser,
    },
  });
  // A connection that breaks fails its query, or is replaced where it was idle; without a listener it would also end
  // the process, whether it lay in the pool or in somebody's hands.
  pool.on("error", () => undefined);
  pool.on("connect", (client) => client.on("error", () => undefined));
  return pool;
}

/**
 * Asks the server whether a commit outlives a crash there, and whether it is new enough. Throws "ledger.unavailable"
 * in words where not: what is not durable cannot come before an act (S1).
 */
export async function refuseUnsafe(client: pg.ClientBase): Promise<void> {
  const settings =
    "select name, setting from pg_settings where name in ('fsync', 'synchronous_commit', 'server_version_num')";
  const { rows } = await client.query<{ name: string; setting: string }>(settings);
  const found = new Map(rows.map(({ name, setting }) => [name, setting]));
  const refused = (reason: string) => new UnshipError("ledger.unavailable", { use: "opened", reason });
  if (found.get("fsync") === "off") throw refused("the server runs with fsync = off and can lose what it committed");
  if (found.get("synchronous_commit") === "off") {
    throw refused("synchronous_commit is off for this role, so what was committed can be lost: set it to on");
  }
  if (Number(found.get("server_version_num") ?? 0) < OLDEST_VERSION) {
    throw refused("the server is older than PostgreSQL 13");
  }
}

/** Whether this role may write marks to the server's log: everybody may, unless an administrator took it away. */
export async function mayMark(client: pg.ClientBase): Promise<boolean> {
  const found = "from pg_catalog.pg_proc where proname = 'pg_logical_emit_message' and prorettype = 'pg_lsn'::regtype";
  const { rows } = await client.query<{ readonly may: boolean | null }>(
    `select bool_and(has_function_privilege(oid, 'execute')) as may ${found}`,
  );
  return rows[0]?.may === true;
}
