import { afterAll, beforeAll, describe } from "vitest";
import type { GateStore } from "../../../core/guardrails/gate-store.ts";
import type { Clock, Ledger } from "../../../core/ports.ts";
import { openPostgresLedger } from "../../../knowledge/ledger/postgres.ts";
import { hasPostgres, type PostgresServer, startPostgres } from "../../real/postgres.ts";
import { ledgerFile } from "./ledger-files.ts";

/** A new, empty ledger of some store, and what someone with rights on that store can do to it. */
export interface LedgerPlace extends AsyncDisposable {
  readonly store: "sqlite" | "postgres";
  readonly ledger: Ledger & GateStore;
  open(clock?: Clock): Promise<Ledger & GateStore>;
  /** Does what someone with every right and bad intent can do: triggers do not hold. */
  tamper(sql: string): Promise<void>;
  /** Asks as anyone with read access would, past the ledger. */
  read(sql: string): Promise<readonly Readonly<Record<string, unknown>>[]>;
  /** Runs a statement as anyone with write access would. */
  run(sql: string): Promise<void>;
}

export type NewPlace = (clock?: Clock) => Promise<LedgerPlace>;

/** Runs a suite on SQLite and, where the machine has it, on a PostgreSQL of its own. */
export function onEachStore(name: string, suite: (newPlace: NewPlace) => void): void {
  describe(`${name}, on SQLite`, () => suite(ledgerFile));
  describe.skipIf(!hasPostgres())(`${name}, on PostgreSQL`, () => {
    let server: PostgresServer;
    beforeAll(async () => {
      server = await startPostgres();
    });
    afterAll(() => server[Symbol.asyncDispose]());
    suite((clock) => postgresPlace(server, clock));
  });
}

async function postgresPlace(server: PostgresServer, clock?: Clock): Promise<LedgerPlace> {
  const url = await server.freshLedger();
  const opened: Ledger[] = [];
  const open = async (own: Clock | undefined = clock) => {
    const ledger = await openPostgresLedger(url, own === undefined ? {} : { clock: own });
    opened.push(ledger);
    return ledger;
  };
  return {
    store: "postgres",
    ledger: await open(),
    open,
    tamper: (sql) => server.run(url, `alter table entries disable trigger all; ${sql}`),
    read: (sql) => server.read(url, sql),
    run: (sql) => server.run(url, sql),
    async [Symbol.asyncDispose]() {
      for (const ledger of opened) await ledger.close();
    },
  };
}
