import { GateReview } from "../model/plan.ts";
import type { LedgerEntry } from "../ports.ts";
import { LEDGER_KINDS } from "./gate-store.ts";

/** What the gate said of a plan, as an entry of it holds it; null: the entry is none of that kind, or cannot be read. */
export function reviewIn(entry: Pick<LedgerEntry, "kind" | "body"> | undefined): GateReview | null {
  if (entry?.kind !== LEDGER_KINDS.planReviewed) return null;
  const { body } = entry;
  const written = typeof body === "object" && body !== null && "review" in body ? body.review : null;
  return GateReview.safeParse(written).data ?? null;
}
