import type { IncidentStore, Ledger } from "../core/ports.ts";

/** A ledger that keeps more closed incidents than this is read in its newest ones: memory of the rest helps nobody. */
const MOST = 100_000;

/**
 * Makes the memory again from the ledger, which is the truth: for a store that is damaged, lost, or was kept with
 * other fields. Returns how many closed incidents it now holds. Throws "store.unavailable" where even that fails.
 */
export async function rebuildFromLedger(
  store: Pick<IncidentStore, "rebuild">,
  ledger: Pick<Ledger, "incidents">,
): Promise<number> {
  const closed = (await ledger.incidents({ open: false, limit: MOST })).filter(({ outcome }) => outcome !== null);
  await store.rebuild(closed);
  return closed.length;
}
