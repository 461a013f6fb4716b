import { afterAll, beforeAll, describe } from "vitest";
import type { Clock } from "../../../core/ports.ts";
import type { SigningKey } from "../../../knowledge/ledger/head-key.ts";
import { openPostgresLedger } from "../../../knowledge/ledger/postgres.ts";
import type { OwnLedger } from "../../../knowledge/ledger/sql-ledger.ts";
import { hasPostgres, type PostgresServer, startPostgres } from "../../real/postgres.ts";
import { ledgerFile, optionsOf } from "./ledger-files.ts";

/** A new, empty ledger of some store, and what someone with rights on that store can do to it. */
export interface LedgerPlace extends AsyncDisposable {
  readonly store: "sqlite" | "postgres";
  readonly ledger: OwnLedger;
  open(clock?: Clock): Promise<OwnLedger>;
  /** Does what someone with every right and bad intent can do: triggers do not hold meanwhile, and stand again after it. */
  tamper(sql: string): Promise<void>;
  /** Asks as anyone with read access would, past the ledger. */
  read(sql: string): Promise<readonly Readonly<Record<string, unknown>>[]>;
  /** Runs a statement as anyone with write access would. */
  run(sql: string): Promise<void>;
}

/** `key`: signs the ledger's end. */
export type NewPlace = (clock?: Clock, key?: SigningKey) => Promise<LedgerPlace>;

/** Runs a suite on SQLite and, where the machine has it, on a PostgreSQL of its own. */
export function onEachStore(name: string, suite: (newPlace: NewPlace) => void): void {
  describe(`${name}, on SQLite`, () => suite((clock, key) => ledgerFile(clock, undefined, key)));
  describe.skipIf(!hasPostgres())(`${name}, on PostgreSQL`, () => {
    let server: PostgresServer;
    beforeAll(async () => {
      server = await startPostgres();
    });
    afterAll(() => server[Symbol.asyncDispose]());
    suite((clock, key) => postgresPlace(server, clock, key));
  });
}

async function postgresPlace(server: PostgresServer, clock?: Clock, key?: SigningKey): Promise<LedgerPlace> {
  const url = await server.freshLedger();
  const opened: OwnLedger[] = [];
  const open = async (own: Clock | undefined = clock) => {
    const ledger = await openPostgresLedger(url, optionsOf(own, key));
    opened.push(ledger);
    return ledger;
  };
  return {
    store: "postgres",
    ledger: await open(),
    open,
    async tamper(sql) {
      await server.run(url, "alter table entries disable trigger all");
      await server.run(url, sql).finally(() => server.run(url, "alter table entries enable trigger all"));
    },
    read: (sql) => server.read(url, sql),
    run: (sql) => server.run(url, sql),
    async [Symbol.asyncDispose]() {
      for (const ledger of opened) await ledger.close();
    },
  };
}
