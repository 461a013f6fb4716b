import type { Config } from "../../core/config/config.ts";
import { configuredStore } from "../../knowledge/store.ts";
import type { Composition } from "../cli/composition.ts";

/** The memory of past incidents with what `unship knowledge` does to it; null: the file configures none. */
export async function knowledgeOf(
  config: Config,
  ledgerOf: Composition["ledger"],
): ReturnType<Composition["knowledge"]> {
  const memory = configuredStore(config);
  if (memory === null) return null;
  return {
    list: memory.list,
    recall: (text, limit) => memory.recall({ text, limit }),
    forget: async (incidentId) => {
      const { forgetForGood } = await import("../../knowledge/rebuild.ts");
      const ledger = await ledgerOf(config);
      try {
        await forgetForGood(incidentId, "cli", memory, ledger);
      } finally {
        await ledger.close();
      }
    },
    rebuild: async () => {
      const { rebuildFromLedger } = await import("../../knowledge/rebuild.ts");
      const ledger = await ledgerOf(config);
      try {
        return await rebuildFromLedger(memory, ledger);
      } finally {
        await ledger.close();
      }
    },
    close: memory.close,
  };
}
