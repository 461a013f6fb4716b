import { z } from "zod";
import type { Ledger, LedgerEntry } from "../ports.ts";
import { LEDGER_KINDS } from "./gate-store.ts";

const Reserved = z.looseObject({ approvedBy: z.string().nullable() });

/**
 * Whose approval a plan was executed by, as the gate wrote it down when it reserved the plan; empty: nobody's, it ran
 * without a person. null: it was never reserved.
 */
export async function executedBy(ledger: Pick<Ledger, "entries">, planId: string): Promise<readonly string[] | null> {
  return executedByIn(await ledger.entries({ planId, kinds: [LEDGER_KINDS.planReserved] }), planId);
}

/** The same from entries that are at hand, oldest first. Pure. */
export function executedByIn(entries: readonly LedgerEntry[], planId: string): readonly string[] | null {
  const own = entries.filter((one) => one.planId === planId && one.kind === LEDGER_KINDS.planReserved);
  const reserved = Reserved.safeParse(own.at(-1)?.body);
  if (!reserved.success) return null;
  return reserved.data.approvedBy === null ? [] : reserved.data.approvedBy.split(", ");
}

/** "executed, approved by ada and grace"; "executed without a person"; else what the gate said of it. */
export function gateText(outcome: string, verdict: string, by: readonly string[] | null): string {
  if (by === null) return `${outcome} (${verdict})`;
  return by.length === 0 ? `${outcome} (${verdict}), without a person` : `${outcome}, approved by ${by.join(" and ")}`;
}
