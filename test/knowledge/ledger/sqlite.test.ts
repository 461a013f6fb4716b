import { existsSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { SCHEMA_VERSION } from "../../../knowledge/ledger/migrations.ts";
import { openSqliteLedger } from "../../../knowledge/ledger/sqlite.ts";
import { draftOf, ledgerFile } from "./ledger-files.ts";

function spoilVersion(path: string): void {
  const database = new DatabaseSync(path);
  database.exec(`pragma user_version = ${SCHEMA_VERSION + 1}`);
  database.close();
}

describe("the SQLite ledger", () => {
  it("is there again after it was closed, in a folder that only its owner may enter", async () => {
    await using file = await ledgerFile();
    await file.ledger.append(draftOf({ n: 1 }));
    await file.ledger.close();
    const again = await file.open();
    expect(await again.entries()).toMatchObject([{ seq: 1, body: { n: 1 } }]);
    expect(statSync(dirname(file.path)).mode & 0o077).toBe(0);
  });

  it("is durable before an append resolves: write-ahead log, full synchronisation", async () => {
    await using file = await ledgerFile();
    await file.ledger.append(draftOf({}));
    expect(existsSync(`${file.path}-wal`)).toBe(true);
    const database = new DatabaseSync(file.path, { readOnly: true });
    expect(database.prepare("select count(*) as n from entries").get()).toEqual({ n: 1 });
    expect(database.prepare("pragma journal_mode").get()).toEqual({ journal_mode: "wal" });
    database.close();
  });

  it.each([
    ["a file that is no database", (path: string) => writeFileSync(path, "not a database, but long enough".repeat(99))],
    ["a ledger of a newer unship", spoilVersion],
    ["a folder where a file stands", (path: string) => writeFileSync(join(dirname(path), "x"), "")],
  ])("refuses %s", async (name, spoil) => {
    await using file = await ledgerFile();
    const path = join(dirname(file.path), "other.db");
    spoil(path);
    const asked = name.startsWith("a folder") ? join(dirname(path), "x", "ledger.db") : path;
    await expect(openSqliteLedger(asked)).rejects.toMatchObject({ code: "ledger.unavailable" });
  });

  it("shows a pause as soon as it stands, whoever set it, and never one that may yet be taken back", async () => {
    await using file = await ledgerFile();
    const other = await file.open();
    const pause = { scope: "checkout", by: "ada", at: 1 };
    let seen: Promise<readonly { readonly scope: string }[]> = Promise.resolve([]);
    const failing = file.ledger.transact(async (tx) => {
      await tx.setPause(pause);
      seen = file.ledger.pauses();
      await Promise.resolve();
      throw new Error("taken back");
    });
    await expect(failing).rejects.toThrow("taken back");
    expect(await seen).toEqual([]);
    expect(await file.ledger.pauses()).toEqual([]);
    await other.transact((tx) => tx.setPause(pause));
    expect(await file.ledger.pauses()).toEqual([pause]);
    await other.close();
    await expect(other.pauses()).rejects.toMatchObject({ code: "ledger.unavailable" });
  });
});
