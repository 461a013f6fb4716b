import pg from "pg";
import { unavailable } from "./failures.ts";
import { connectionOf } from "./node-postgres.ts";

/** Names the watch's lock among those that a database's users may take; any number that nothing else uses. */
const WATCH = 1_970_173_289;
/** How often the connection that holds the lock is asked for a sign of life, and how long it may take to give one. */
const ASK_EVERY_MS = 10_000;
const ANSWER_WITHIN_MS = 10_000;

export interface SessionLock {
  /** Aborts when the connection that holds the lock is gone: from then on somebody else may have it. */
  readonly lost: AbortSignal;
  release(): Promise<void>;
}

/**
 * Takes the one watch's lock of the ledger at `url`, or answers null where somebody holds it. The server ends it with
 * the connection, however that ends. Throws "ledger.unavailable" where the server cannot be reached.
 * @see https://www.postgresql.org/docs/15/explicit-locking.html#ADVISORY-LOCKS
 */
export async function tryWatchLock(url: string): Promise<SessionLock | null> {
  const client = new pg.Client({ ...connectionOf(url), query_timeout: ANSWER_WITHIN_MS });
  const lost = new AbortController();
  client.on("error", () => lost.abort());
  client.on("end", () => lost.abort());
  try {
    await client.connect();
    // The lock belongs to one schema's ledger: a database may hold several.
    const schema = "(select oid::bigint::bit(32)::int from pg_namespace where nspname = current_schema())";
    const { rows } = await client.query<{ readonly held: boolean }>(
      `select pg_try_advisory_lock(${WATCH}, ${schema}) as held`,
    );
    if (rows[0]?.held !== true) {
      await client.end();
      return null;
    }
  } catch (error) {
    await client.end().catch(() => undefined);
    throw unavailable(error, "opened");
  }
  const pulse = setInterval(() => {
    client.query("select 1").catch(() => lost.abort());
  }, ASK_EVERY_MS);
  pulse.unref();
  return {
    lost: lost.signal,
    async release() {
      clearInterval(pulse);
      await client.end().catch(() => undefined);
    },
  };
}
