import type { Config } from "../../core/config/config.ts";
import type { Clock, Gate } from "../../core/ports.ts";
import type { OwnLedger } from "../../knowledge/ledger/sql-ledger.ts";
import { createGate } from "../../mcp-tools/gate/gate.ts";
import { attestationOf } from "./attestation.ts";
import { terminalNotifier } from "./notifier.ts";

/** The gate behind people's commands (approve, reject, pause, resume) where this process holds the record: it has no executor. */
export function deskGate(config: Config, ledger: OwnLedger, clock: Clock): Gate {
  return createGate({
    config,
    store: ledger,
    executors: [],
    assess: async () => {
      throw new Error("the operator CLI judges no evidence");
    },
    clock,
    notifier: terminalNotifier,
    ...attestationOf(config),
    newId: () => {
      throw new Error("the operator CLI makes no plans");
    },
  });
}
