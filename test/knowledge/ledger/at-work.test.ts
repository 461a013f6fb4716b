import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Announced, type AtWork, announce, atWork, type Obeyed, WORK } from "../../../knowledge/ledger/at-work.ts";
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
  announce(work: (typeof WORK)[number], obeys: Obeyed): Promise<Announced>;
  atWork(): Promise<readonly AtWork[]>;
}
const PLACES: readonly (readonly [string, () => Place])[] = [
  [
    "SQLite",
    () => ({ announce: async (work, obeys) => announce(file, work, obeys), atWork: async () => atWork(file) }),
  ],
  [
    "PostgreSQL",
    () => ({ announce: (work, obeys) => announceOnServer(url(), work, obeys), atWork: () => atWorkOnServer(url()) }),
  ],
];

const OBEYED: readonly Obeyed[] = [
  { mode: "observe", version: "ffffffff" },
  { mode: "approve", modeIsAsked: true, version: "0a1b2c3d" },
  { mode: "auto" },
];

describe.each(PLACES)("S14: who may execute on a ledger, in %s", (name, open) => {
  it.skipIf(name === "PostgreSQL" && !hasPostgres())(
    "is who said so and has not ended, the longest at work first",
    async () => {
      const place = open();
      expect(await place.atWork()).toEqual([]);
      const all: Announced[] = [];
      for (const [i, work] of WORK.entries()) all.push(await place.announce(work, OBEYED[i] ?? { mode: "observe" }));
      const found = await place.atWork();
      expect(
        found.map(({ work, mode, modeIsAsked, version }) => [work, mode, modeIsAsked, version]).toSorted(),
      ).toEqual([
        ["gate", "approve", true, "0a1b2c3d"],
        ["mcp", "auto", false, null],
        ["watch", "observe", false, "ffffffff"],
      ]);
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
  const own = announce(file, "watch", { mode: "auto" });
  expect(atWork(file)).toHaveLength(1);
  rmSync(file);
  await (await openSqliteLedger(file)).close();
  expect(atWork(file)).toEqual([]);
  await own.withdraw();
});
