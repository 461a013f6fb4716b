import { hostname } from "node:os";
import pg from "pg";
import { MODES } from "../../core/config/config.ts";
import type { Announced, AtWork, Obeyed, Work } from "./at-work.ts";
import { WORK } from "./at-work.ts";
import { unavailable } from "./failures.ts";
import { connectionOf, withConnection } from "./node-postgres.ts";

/** Names this lock among those that a database's users may take; the watch's own is the number before it. */
const AT_WORK = 1_970_173_290;
/** How often the connection is asked for a sign of life, and how long after its loss another one is made. */
const ASK_EVERY_MS = 10_000;
const ANSWER_WITHIN_MS = 10_000;

/** The lock belongs to one schema's ledger: a database may hold several. */
const SCHEMA = "(select oid::bigint::bit(32)::int from pg_namespace where nspname = current_schema())";

/**
 * Says with the server that this process may execute plans on the ledger at `url`, and what it obeys, until withdrawn: a shared lock that
 * the server ends with the connection, whose name says who it is. A lost connection is made again by itself.
 * Throws "ledger.unavailable" where the server cannot be reached at first.
 * @see https://www.postgresql.org/docs/15/explicit-locking.html#ADVISORY-LOCKS
 */
export async function announceOnServer(
  url: string,
  work: Work,
  { mode, modeIsAsked, version }: Obeyed,
): Promise<Announced> {
  const since = Date.now();
  let withdrawn = false;
  const asked = modeIsAsked === true ? "!" : "";
  const named = [`unship ${work}`, process.pid, since, `${mode}${asked}:${version ?? ""}`, hostname()].join(" ");
  let client = await connected(url, named);
  const pulse = setInterval(() => {
    client.query("select 1").catch(async () => {
      await client.end().catch(() => undefined);
      const next = await connected(url, named).catch(() => null);
      if (next === null) return;
      if (withdrawn) await next.end().catch(() => undefined);
      else client = next;
    });
  }, ASK_EVERY_MS);
  pulse.unref();
  return {
    async withdraw() {
      withdrawn = true;
      clearInterval(pulse);
      await client.end().catch(() => undefined);
    },
  };
}

async function connected(url: string, name: string): Promise<pg.Client> {
  const client = new pg.Client({ ...connectionOf(url), application_name: name, query_timeout: ANSWER_WITHIN_MS });
  client.on("error", () => undefined);
  try {
    await client.connect();
    await client.query(`select pg_advisory_lock_shared(${AT_WORK}, ${SCHEMA})`);
    return client;
  } catch (error) {
    await client.end().catch(() => undefined);
    throw unavailable(error, "opened");
  }
}

/**
 * Which processes, on whatever machine, may execute plans on the ledger at `url` at this moment, the longest at work
 * first. The server shows a connection's name to its own role alone: of another role's process only that it is there
 * would be known, and it is left out. Throws "ledger.unavailable" where the server cannot be asked.
 * @see https://www.postgresql.org/docs/15/view-pg-locks.html
 */
export async function atWorkOnServer(url: string): Promise<readonly AtWork[]> {
  const names: (string | null)[] = [];
  try {
    await withConnection(url, async (client) => {
      // A lock with two keys stands in pg_locks as classid and objid, with objsubid 2.
      const { rows } = await client.query<{ readonly name: string | null }>(
        `select activity.application_name as name
           from pg_locks locks join pg_stat_activity activity using (pid)
          where locks.locktype = 'advisory' and locks.granted and locks.objsubid = 2
            and locks.database = (select oid from pg_database where datname = current_database())
            and locks.classid = ${AT_WORK}::oid and locks.objid = ${SCHEMA}::bit(32)::bigint::oid`,
      );
      names.push(...rows.map(({ name }) => name));
    });
  } catch (error) {
    throw unavailable(error, "read");
  }
  return names.flatMap((name) => processOf(name ?? "")).toSorted((one, other) => one.since - other.since);
}

/** The parts of a connection's name; the server cuts it at 63 bytes, so a long host's name may lack its end. */
function processOf(name: string): readonly AtWork[] {
  const [, word, pid, since, said, asked, version = "", host = ""] =
    /^unship (\w+) (\d+) (\d+) (?:(observe|approve|auto)(?:(!?):(\w*))? )?(\S*)/.exec(name) ?? [];
  const work = WORK.find((one) => one === word);
  if (work === undefined) return [];
  const obeyed = {
    mode: MODES.find((one) => one === said) ?? null,
    modeIsAsked: asked === undefined ? null : asked === "!",
    version: version === "" ? null : version,
  };
  return [{ work, pid: Number(pid), since: Number(since), host, ...obeyed }];
}
