import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Clock, LedgerDraft } from "../../../core/ports.ts";
import type { SigningKey } from "../../../knowledge/ledger/head-key.ts";
import { SQLITE } from "../../../knowledge/ledger/migrations.ts";
import type { OwnLedger } from "../../../knowledge/ledger/sql-ledger.ts";
import { openSqliteLedger } from "../../../knowledge/ledger/sqlite.ts";
import type { LedgerPlace } from "./ledger-stores.ts";

export interface LedgerFile extends LedgerPlace {
  readonly path: string;
}

export async function ledgerFile(clock?: Clock, there?: string, key?: SigningKey): Promise<LedgerFile> {
  const folder = mkdtempSync(join(tmpdir(), "unship-ledger-"));
  const path = there ?? join(folder, "deep", "ledger.db");
  const opened: OwnLedger[] = [];
  const open = async (own: Clock | undefined = clock) => {
    const ledger = await openSqliteLedger(path, optionsOf(own, key));
    opened.push(ledger);
    return ledger;
  };
  const run = async (sql: string) => {
    const database = new DatabaseSync(path, { timeout: 5000 });
    try {
      database.exec(sql);
    } finally {
      database.close();
    }
  };
  return {
    store: "sqlite",
    path,
    ledger: await open(),
    open,
    async tamper(sql) {
      await run("drop trigger if exists entries_never_change; drop trigger if exists entries_never_go");
      await run(sql).finally(() => run(SQLITE.appendOnly.join(";")));
    },
    async read(sql) {
      const database = new DatabaseSync(path, { timeout: 5000 });
      try {
        return database.prepare(sql).all();
      } finally {
        database.close();
      }
    },
    run,
    async [Symbol.asyncDispose]() {
      for (const ledger of opened) await ledger.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** How a test opens a ledger of whatever store. */
export const optionsOf = (clock: Clock | undefined, key: SigningKey | undefined) => ({
  ...(clock === undefined ? {} : { clock }),
  ...(key === undefined ? {} : { signingKey: () => key }),
});

export const draftOf = (body: unknown, change: Partial<LedgerDraft> = {}): LedgerDraft => ({
  kind: "note",
  incidentId: null,
  planId: null,
  actor: "test",
  body,
  ...change,
});
