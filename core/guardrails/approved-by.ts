import { z } from "zod";
import { mayHaveWritten } from "../model/deed.ts";
import type { GateAnswer } from "../model/plan.ts";
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

/**
 * What came of a plan, as every surface says it (S15): only one whose targets are all known to be rolled back was executed. Of one
 * that stopped: whether a part of it was done, whether that is known at all, or that nothing was written. Pure.
 */
export function outcomeWords(gate: Pick<GateAnswer, "outcome" | "results">): string {
  if (gate.outcome !== "stopped") return gate.outcome;
  if (gate.results.some(({ result }) => result === "done")) return "stopped half-way";
  return gate.results.some(mayHaveWritten)
    ? "not known whether it was executed"
    : "stopped before anything was written";
}

/** "executed, approved by ada and grace"; "executed (allow), without a person"; else what the gate said of it. */
export const gateText = (
  gate: Pick<GateAnswer, "outcome" | "results" | "review">,
  by: readonly string[] | null,
): string => `${outcomeWords(gate)}${byWords(gate.review.verdict, by)}`;

/** Whose approval it was, behind what came of it. */
export function byWords(verdict: string, by: readonly string[] | null): string {
  if (by === null) return ` (${verdict})`;
  return by.length === 0 ? ` (${verdict}), without a person` : `, approved by ${by.join(" and ")}`;
}
