import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { openPostgresLedger } from "../../../knowledge/ledger/postgres.ts";
import { tryWatchLock } from "../../../knowledge/ledger/postgres-lock.ts";
import { hasPostgres, type PostgresServer, startPostgres } from "../../real/postgres.ts";
import { draftOf } from "./ledger-files.ts";

/** Polls for as long as a loaded machine may need. */
const PATIENT = { timeout: 30_000, interval: 100 };

describe.skipIf(!hasPostgres())("the PostgreSQL ledger", () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server[Symbol.asyncDispose]());
  afterEach(() => {
    vi.useRealTimers();
  });

  it("is made once, by however many processes open it at the same time", async () => {
    const url = await server.freshLedger();
    const ledgers = await Promise.all(Array.from({ length: 5 }, () => openPostgresLedger(url)));
    await Promise.all(ledgers.map((ledger, n) => ledger.append(draftOf({ n }))));
    expect(await ledgers[0]?.verify()).toMatchObject({ ok: true, entries: 5 });
    for (const ledger of ledgers) await ledger.close();
  });

  it("keeps ledgers in one database apart by schema", async () => {
    const [one, two] = await Promise.all([server.freshLedger(), server.freshLedger()]);
    const first = await openPostgresLedger(one);
    const second = await openPostgresLedger(two);
    await first.append(draftOf({}));
    expect([await first.entries(), await second.entries()].map(({ length }) => length)).toEqual([1, 0]);
    await first.close();
    await second.close();
  });

  it("S2: goes by the server's clock, whatever this machine's says", async () => {
    const ledger = await openPostgresLedger(await server.freshLedger());
    const before = (await ledger.append(draftOf({}))).at;
    vi.useFakeTimers({ toFake: ["Date"], now: Date.parse("2001-01-01") });
    const { at } = await ledger.append(draftOf({}));
    expect(at).toBeGreaterThanOrEqual(before);
    vi.setSystemTime(Date.parse("2201-01-01"));
    expect((await ledger.append(draftOf({}))).at).toBeLessThan(before + 3_600_000);
    await ledger.close();
  });

  it.each([
    ["a server that need not write to disk", "alter system set fsync = off", "fsync = off"],
    ["a role whose commits may be lost", "alter role unship set synchronous_commit = off", "synchronous_commit is off"],
  ])("S1: refuses %s", async (_, sql, reason) => {
    const url = await server.freshLedger();
    await server.run(url, sql);
    await server.run(url, "select pg_reload_conf()");
    // The server takes its settings up in its own time.
    const opening = () => openPostgresLedger(url).then((ledger) => ledger.close(), String);
    await expect.poll(opening, PATIENT).toContain(reason);
    await server.run(url, "alter role unship reset synchronous_commit");
    await server.run(url, "alter system reset fsync");
    await server.run(url, "select pg_reload_conf()");
    await expect.poll(opening, PATIENT).toBeUndefined();
  });

  it.each([
    ["no URL at all", "unship.db", "input.invalid"],
    ["a URL of something else", "mysql://localhost/x", "input.invalid"],
    ["a server that is not there", "postgres://u:very-secret@127.0.0.1:1/x", "ledger.unavailable"],
  ])("refuses %s, and never quotes the password", async (_, url, code) => {
    const error = await openPostgresLedger(url).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code });
    expect(String(error)).not.toContain("very-secret");
  });

  it("says that it cannot be written while its connections are cut, loses nothing, and goes on", async () => {
    const ledger = await openPostgresLedger(await server.freshLedger());
    await ledger.append(draftOf({ n: 1 }));
    const cut = ledger.transact(async (tx) => {
      await tx.append(draftOf({ n: 2 }));
      await server.cutConnections();
      await tx.append(draftOf({ n: 3 }));
    });
    await expect(cut).rejects.toMatchObject({ code: "ledger.unavailable" });
    await ledger.append(draftOf({ n: 4 }));
    expect((await ledger.entries()).map(({ body }) => body)).toEqual([{ n: 1 }, { n: 4 }]);
    expect(await ledger.verify()).toMatchObject({ ok: true });
    await ledger.close();
  });

  it("S1: what it says is written outlives a crash of the server right after, though no turn waits for the disk", async () => {
    // Only a commit that asks for it brings anything to the disk within the test.
    await using apart = await startPostgres(["wal_writer_delay=10s", "bgwriter_delay=10s"]);
    const url = await apart.freshLedger();
    for (let n = 1; n <= 3; n += 1) {
      const ledger = await openPostgresLedger(url);
      await ledger.append(draftOf({ n }));
      await apart.crash();
      expect((await ledger.entries().catch(() => ledger.entries())).map(({ body }) => body)).toHaveLength(n);
      expect(await ledger.verify()).toMatchObject({ ok: true, entries: n });
      await ledger.close();
    }
  });

  it("serves a role that may only use its tables, and may neither make any nor mark the log", async () => {
    const url = await server.freshLedger();
    await (await openPostgresLedger(url)).close();
    const schema = new URL(url).searchParams.get("options")?.split("=")[1] ?? "";
    await server.run(
      url,
      `create role clerk login; grant usage on schema ${schema} to clerk;
       grant select, insert, update, delete on all tables in schema ${schema} to clerk;
       revoke execute on all functions in schema pg_catalog from clerk;
       revoke execute on function pg_logical_emit_message(boolean, text, text) from public`,
    );
    const ledger = await openPostgresLedger(url.replace("unship@", "clerk@"));
    await ledger.append(draftOf({ n: 1 }));
    await ledger.transact((tx) => tx.append(draftOf({ n: 2 })));
    expect(await ledger.verify()).toMatchObject({ ok: true, entries: 2 });
    await ledger.close();
    await server.run(url, "grant execute on function pg_logical_emit_message(boolean, text, text) to public");
  });

  it("gives a question up that is never answered, closes, and says so", async () => {
    const url = await server.freshLedger();
    const ledger = await openPostgresLedger(url, { answerWithinMs: 200 });
    await ledger.append(draftOf({}));
    const frozen = server.run(url, "lock table entries in access exclusive mode; select pg_sleep(1)");
    const hangs = async () => {
      for (;;) await ledger.entries();
    };
    await expect(hangs()).rejects.toMatchObject({ code: "ledger.unavailable" });
    await expect(ledger.append(draftOf({}))).rejects.toMatchObject({ code: "ledger.unavailable" });
    await ledger.close();
    await frozen;
  });

  describe("the one watch's lock", () => {
    it("lets one in, refuses a second, and lets another in once the first has gone", async () => {
      const url = await server.freshLedger();
      const first = await tryWatchLock(url);
      expect(await tryWatchLock(url)).toBeNull();
      const elsewhere = await tryWatchLock(await server.freshLedger());
      expect(elsewhere).not.toBeNull();
      await first?.release();
      const third = await tryWatchLock(url);
      expect(third).not.toBeNull();
      for (const lock of [elsewhere, third]) await lock?.release();
    });

    it("says that it is lost when its connection is", async () => {
      const url = await server.freshLedger();
      const lock = await tryWatchLock(url);
      expect(lock?.lost.aborted).toBe(false);
      await server.cutConnections();
      if (lock?.lost.aborted === false) await once(lock.lost, "abort");
      const other = await tryWatchLock(url);
      expect(other).not.toBeNull();
      await lock?.release();
      await other?.release();
    });

    it("is gone with a process that was killed", async () => {
      const url = await server.freshLedger();
      const module = join(import.meta.dirname, "../../../knowledge/ledger/postgres-lock.ts");
      const script = `import { tryWatchLock } from ${JSON.stringify(module)};
        const lock = await tryWatchLock(process.argv[1]);
        process.stdout.write(lock === null ? "refused" : "held"); setInterval(() => {}, 1000);`;
      const child = spawn(process.execPath, ["--input-type=module", "-e", script, url], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      const [said] = await once(child.stdout, "data");
      expect(String(said)).toBe("held");
      expect(await tryWatchLock(url)).toBeNull();
      child.kill("SIGKILL");
      await once(child, "exit");
      await expect
        .poll(async () => {
          const lock = await tryWatchLock(url);
          await lock?.release();
          return lock !== null;
        }, PATIENT)
        .toBe(true);
    });
  });
});
