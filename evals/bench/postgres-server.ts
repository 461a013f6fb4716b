import { execFile, spawn } from "node:child_process";
import { chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import pg from "pg";

/** Debian keeps the server's programs off the path, in a folder for each major version. */
const DEBIAN = "/usr/lib/postgresql";
/** Debian's own unprivileged user; PostgreSQL refuses to run as root. */
const NOBODY = 65_534;

function debianFolders(): readonly string[] {
  try {
    const versions = readdirSync(DEBIAN).sort((a, b) => Number(b) - Number(a));
    return versions.map((version) => join(DEBIAN, version, "bin"));
  } catch {
    return [];
  }
}

/** Puts the server's programs on this process' path; whether they are on this machine. */
export function findPostgres(): boolean {
  const folders = (process.env.PATH ?? "").split(delimiter);
  const found = [...folders, ...debianFolders()].find((folder) => existsSync(join(folder, "initdb")));
  if (found === undefined) return false;
  if (!folders.includes(found)) process.env.PATH = [...folders, found].join(delimiter);
  return true;
}

export interface PostgresServer extends AsyncDisposable {
  /** The URL of an empty schema of its own in this server. */
  freshLedger(): Promise<string>;
  /** Runs statements as the superuser, in the schema of a ledger's URL. */
  run(url: string, sql: string): Promise<void>;
  /** Asks one as the superuser → its rows. */
  read(url: string, sql: string): Promise<readonly Readonly<Record<string, unknown>>[]>;
  /** Ends the server as a power cut would, without another write, and starts it again. */
  crash(): Promise<void>;
  /** Ends every connection to it but the asking one, as an administrator or a failing network would. */
  cutConnections(): Promise<void>;
}

/** A private server with an empty data directory, on a socket in a folder of its own: no port, no system service. */
export async function startPostgres(settings: readonly string[] = []): Promise<PostgresServer> {
  const folder = mkdtempSync(join(tmpdir(), "unship-pg-"));
  const data = join(folder, "data");
  mkdirSync(data, { mode: 0o700 });
  const asRoot = process.getuid?.() === 0;
  const user = asRoot ? { uid: NOBODY, gid: NOBODY } : {};
  if (asRoot) for (const one of [folder, data]) chownSync(one, NOBODY, NOBODY);
  const initdb = ["-D", data, "-U", "unship", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"];
  await promisify(execFile)("initdb", initdb, { ...user, cwd: folder });
  const options = [`unix_socket_directories=${folder}`, "listen_addresses=", "max_connections=60", ...settings];
  let log = "";
  const spawned = () => {
    const server = spawn("postgres", ["-D", data, ...options.flatMap((one) => ["-c", one])], {
      ...user,
      cwd: folder,
      stdio: ["ignore", "ignore", "pipe"],
    });
    server.stderr.on("data", (text) => {
      log += text;
    });
    return { server, ended: new Promise<void>((resolve) => server.once("exit", () => resolve())) };
  };
  const base = `postgres://unship@localhost/postgres?host=${encodeURIComponent(folder)}`;
  const query = async (sql: string): Promise<void> => {
    const client = new pg.Client(base);
    await client.connect();
    try {
      await client.query(sql);
    } finally {
      await client.end();
    }
  };
  const answers = () =>
    query("select 1").then(
      () => true,
      () => false,
    );
  const started = async () => {
    const now = spawned();
    while (!(await answers())) {
      if (now.server.exitCode !== null) throw new Error(`PostgreSQL did not start: ${log}`);
      await delay(50);
    }
    return now;
  };
  /** An immediate shutdown: nothing that was not written out before is. */
  const ending = async ({ server, ended }: ReturnType<typeof spawned>) => {
    server.kill("SIGQUIT");
    await ended;
  };
  let running = await started();
  let schemas = 0;
  return {
    async freshLedger() {
      const name = `ledger_${++schemas}`;
      await query(`create schema ${name}`);
      return `${base}&options=${encodeURIComponent(`-c search_path=${name}`)}`;
    },
    async run(url, sql) {
      const client = new pg.Client(url);
      await client.connect();
      try {
        await client.query(sql);
      } finally {
        await client.end();
      }
    },
    async read(url, sql) {
      const client = new pg.Client(url);
      await client.connect();
      try {
        return (await client.query<Record<string, unknown>>(sql)).rows;
      } finally {
        await client.end();
      }
    },
    async crash() {
      await ending(running);
      running = await started();
    },
    cutConnections: () =>
      query(
        "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and usename = 'unship'",
      ),
    async [Symbol.asyncDispose]() {
      await ending(running);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
