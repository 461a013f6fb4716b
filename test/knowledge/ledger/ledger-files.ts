import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Clock, Ledger, LedgerDraft } from "../../../core/ports.ts";
import { openSqliteLedger } from "../../../knowledge/ledger/sqlite.ts";
import type { LedgerPlace } from "./ledger-stores.ts";

export interface LedgerFile extends LedgerPlace {
  readonly path: string;
}

export async function ledgerFile(clock?: Clock, there?: string): Promise<LedgerFile> {
  const folder = mkdtempSync(join(tmpdir(), "unship-ledger-"));
  const path = there ?? join(folder, "deep", "ledger.db");
  const opened: Ledger[] = [];
  const open = async (own: Clock | undefined = clock) => {
    const ledger = await openSqliteLedger(path, own === undefined ? {} : { clock: own });
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
    tamper: (sql) =>
      run(`drop trigger if exists entries_never_change; drop trigger if exists entries_never_go; ${sql}`),
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

export const draftOf = (body: unknown, change: Partial<LedgerDraft> = {}): LedgerDraft => ({
  kind: "note",
  incidentId: null,
  planId: null,
  actor: "test",
  body,
  ...change,
});
