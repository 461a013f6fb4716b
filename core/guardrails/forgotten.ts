import type { Ledger } from "../ports.ts";
import { LEDGER_KINDS } from "./gate-store.ts";

/** The incidents that people took out of the memory: nothing puts them back. */
export async function forgottenIn(ledger: Pick<Ledger, "entries">): Promise<ReadonlySet<string | null>> {
  const entries = await ledger.entries({ kinds: [LEDGER_KINDS.knowledgeForgotten] });
  return new Set(entries.map(({ incidentId }) => incidentId));
}
