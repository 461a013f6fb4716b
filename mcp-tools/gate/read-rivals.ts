import { LEDGER_KINDS } from "../../core/guardrails/gate-store.ts";
import { mayGoFirst, type Rival, rivalsOf } from "../../core/guardrails/rivals.ts";
import { reviewIn } from "../../core/guardrails/written-review.ts";
import type { GateReview, Plan } from "../../core/model/plan.ts";
import type { GateParts } from "./parts.ts";

/**
 * The plans of worse incidents that wait for what all share, as the ledger holds them; of a plan outside any incident none,
 * since it needs a person anyway. Read before the transaction, which then leaves out those that were reserved meanwhile:
 * order may lag behind by that moment, budgets never do (S2). By the ledger's record alone: whoever proposes cannot say how
 * grave it is, other than by what the watch saved of its incident.
 */
export async function readRivals(
  incidentId: Plan["incidentId"],
  { store, config, clock }: Pick<GateParts, "store" | "config" | "clock">,
): Promise<readonly Rival[]> {
  const own = await store.incident(incidentId);
  if (own === null) return [];
  const open = await store.incidents({ open: true });
  const now = clock.now();
  const first = mayGoFirst(own, open, config.services, now);
  if (first.length === 0) return [];
  const reviews = new Map<string, GateReview>();
  for (const { id, plan } of first) {
    const entries = await store.entries({ incidentId: id, kinds: [LEDGER_KINDS.planReviewed] });
    const review = reviewIn(entries.findLast(({ planId }) => planId === plan?.id));
    if (plan !== null && review !== null) reviews.set(plan.id, review);
  }
  return rivalsOf(own, first, reviews, config, now);
}
