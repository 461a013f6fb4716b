import { forgottenIn } from "../core/guardrails/forgotten.ts";
import { LEDGER_KINDS } from "../core/guardrails/gate-store.ts";
import { asTheyTurnedOut } from "../core/guardrails/refuted.ts";
import type { IncidentStore, Ledger } from "../core/ports.ts";

/** A ledger that keeps more closed incidents than this is read in its newest ones: memory of the rest helps nobody. */
const MOST = 100_000;

/**
 * Makes the memory again from the ledger, which is the truth: for a store that is damaged, lost, or was kept with
 * other fields. What a person had forgotten stays forgotten. Returns how many incidents it now holds. Throws "store.unavailable" where even that fails.
 */
export async function rebuildFromLedger(
  store: Pick<IncidentStore, "rebuild">,
  ledger: Pick<Ledger, "incidents" | "entries">,
): Promise<number> {
  const forgotten = await forgottenIn(ledger);
  const all = [...(await ledger.incidents({ open: true })), ...(await ledger.incidents({ open: false, limit: MOST }))];
  const judged = asTheyTurnedOut(all).filter(({ id, outcome }) => outcome !== null && !forgotten.has(id));
  await store.rebuild(judged);
  return judged.length;
}

/**
 * Takes an incident out of the memory, for good: written down first, so that no rebuild brings it back. The ledger
 * keeps the incident itself, which is the record of what was done. `by`: who asked, for the record.
 */
export async function forgetForGood(
  incidentId: string,
  by: string,
  memory: { readonly forget: (incidentId: string) => Promise<void> },
  ledger: Pick<Ledger, "append">,
): Promise<void> {
  await ledger.append({ kind: LEDGER_KINDS.knowledgeForgotten, incidentId, planId: null, actor: by, body: {} });
  await memory.forget(incidentId);
}
