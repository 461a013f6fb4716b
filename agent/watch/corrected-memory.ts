import { forgottenIn } from "../../core/guardrails/forgotten.ts";
import { refutedWith } from "../../core/guardrails/refuted.ts";
import type { Incident } from "../../core/model/incident.ts";
import type { IncidentStore, Ledger } from "../../core/ports.ts";

/**
 * The recoveries that an incident shows to be none, put right in the memory: they were remembered as confirmed when nobody
 * knew better. What a person had forgotten stays forgotten.
 */
export async function correctRefuted(
  incident: Incident,
  store: Pick<IncidentStore, "remember">,
  ledger: Pick<Ledger, "incidents" | "entries">,
): Promise<void> {
  if (incident.onset === null) return;
  // Only a recovery that was told at the latest onset or after it is contradicted, and it was saved no earlier.
  const told = await ledger.incidents({ open: false, savedSince: incident.onset.latest });
  const refuted = refutedWith(incident, told);
  if (refuted.length === 0) return;
  const forgotten = await forgottenIn(ledger);
  for (const one of refuted) if (!forgotten.has(one.id)) await store.remember(one);
}
