import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { MODES, type Mode } from "../../../core/config/config.ts";
import { type Announced, type AtWork, announce, atWork, WORK } from "../../../knowledge/ledger/at-work.ts";
import { announceOnServer, atWorkOnServer } from "../../../knowledge/ledger/postgres-at-work.ts";
import { tryWatchLock } from "../../../knowledge/ledger/postgres-lock.ts";
import { openSqliteLedger } from "../../../knowledge/ledger/sqlite.ts";
import { hasPostgres, type PostgresServer, startPostgres } from "../../real/postgres.ts";

const folder = mkdtempSync(join(tmpdir(), "unship-at-work-"));
const file = join(folder, "ledger.db");
let server: PostgresServer | undefined;
let ledgerUrl = "";
const url = () => ledgerUrl;
beforeAll(async () => {
  await (await openSqliteLedger(file)).close();
  if (!hasPostgres()) return;
  server = await startPostgres();
  ledgerUrl = await server.freshLedger();
}, 60_000);
afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

interface Place {
  announce(work: (typeof WORK)[number], mode: Mode): Promise<Announced>;
  atWork(): Promise<readonly AtWork[]>;
}
const PLACES: readonly (readonly [string, () => Place])[] = [
  ["SQLite", () => ({ announce: async (work, mode) => announce(file, work, mode), atWork: async () => atWork(file) })],
  [
    "PostgreSQL",
    () => ({ announce: (work, mode) => announceOnServer(url(), work, mode), atWork: () => atWorkOnServer(url()) }),
  ],
];

describe.each(PLACES)("S14: who may execute on a ledger, in %s", (name, open) => {
  it.skipIf(name === "PostgreSQL" && !hasPostgres())(
    "is who said so and has not ended, the longest at work first",
    async () => {
      const place = open();
      expect(await place.atWork()).toEqual([]);
      const all: Announced[] = [];
      for (const [i, work] of WORK.entries()) all.push(await place.announce(work, MODES[i] ?? "observe"));
      const found = await place.atWork();
      expect(found.map(({ work, mode }) => [work, mode]).toSorted()).toEqual(
        WORK.map((work, i) => [work, MODES[i]]).toSorted(),
      );
      expect(found.map(({ work }) => work).toSorted()).toEqual([...WORK].toSorted());
      expect(found.every(({ pid, since }) => pid === process.pid && since <= Date.now())).toBe(true);
      expect(found.map(({ since }) => since)).toEqual(found.map(({ since }) => since).toSorted((a, b) => a - b));
      await all[0]?.withdraw();
      expect((await place.atWork()).map(({ work }) => work).toSorted()).toEqual(["gate", "mcp"]);
      for (const one of all.slice(1)) await one.withdraw();
      expect(await place.atWork()).toEqual([]);
    },
  );
});

it.skipIf(!hasPostgres())("the lock of the one watch is another one, and says nothing of who executes", async () => {
  const lock = await tryWatchLock(url());
  expect(await atWorkOnServer(url())).toEqual([]);
  await lock?.release();
});

it("S2: a ledger that took the place of the one that a process opened has nobody at work", async () => {
  const own = announce(file, "watch", "auto");
  expect(atWork(file)).toHaveLength(1);
  rmSync(file);
  await (await openSqliteLedger(file)).close();
  expect(atWork(file)).toEqual([]);
  await own.withdraw();
});
