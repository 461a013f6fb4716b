import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { GateStore } from "../../../core/guardrails/gate-store.ts";
import type { Clock, Ledger, LedgerDraft } from "../../../core/ports.ts";
import { openSqliteLedger } from "../../../knowledge/ledger/sqlite.ts";

export interface LedgerFile extends AsyncDisposable {
  readonly path: string;
  readonly ledger: Ledger & GateStore;
  open(clock?: Clock): Promise<Ledger & GateStore>;
  /** Does to the file what someone with write access and bad intent can do. */
  tamper(sql: string): void;
}

export async function ledgerFile(clock?: Clock): Promise<LedgerFile> {
  const folder = mkdtempSync(join(tmpdir(), "unship-ledger-"));
  const path = join(folder, "deep", "ledger.db");
  const opened: Ledger[] = [];
  const open = async (own: Clock | undefined = clock) => {
    const ledger = await openSqliteLedger(path, own === undefined ? {} : { clock: own });
    opened.push(ledger);
    return ledger;
  };
  return {
    path,
    ledger: await open(),
    open,
    tamper(sql) {
      const database = new DatabaseSync(path, { timeout: 5000 });
      database.exec("drop trigger if exists entries_never_change; drop trigger if exists entries_never_go");
      database.exec(sql);
      database.close();
    },
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
