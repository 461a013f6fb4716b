import { UnshipError } from "../../core/errors.ts";
import type { Gate } from "../../core/ports.ts";
import { openSqliteLedger } from "../../knowledge/ledger/sqlite.ts";

/** A ledger in memory, for commands that look and leave nothing behind. */
export async function ephemeralLedger() {
  const ledger = await openSqliteLedger(":memory:");
  return { ledger, [Symbol.asyncDispose]: () => ledger.close() };
}

async function refuse(): Promise<never> {
  throw new UnshipError("input.invalid", { what: "gate", reason: "this command reads and executes nothing" });
}

/** The gate of commands that execute nothing: it refuses everything. */
export const ephemeralGate: Gate = {
  propose: refuse,
  submit: refuse,
  identify: refuse,
  approve: refuse,
  reject: refuse,
  pause: refuse,
  resume: refuse,
  acknowledge: refuse,
  recover: refuse,
};
