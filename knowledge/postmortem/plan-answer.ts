import { LEDGER_KINDS } from "../../core/guardrails/gate-store.ts";
import type { Incident } from "../../core/model/incident.ts";
import type { LedgerEntry } from "../../core/ports.ts";

/**
 * What people answered of a plan that the gate held and never carried out: `by` as the ledger names them, null where it is not at
 * hand. `expired`: its time ran out first. `unanswered`: the degradation was over, or is not yet, before either.
 */
export type PlanAnswer =
  | { readonly kind: "approved" | "rejected"; readonly planId: string; readonly by: string | null }
  | { readonly kind: "expired" | "unanswered"; readonly planId: string; readonly expiresAt: number | null };

/** The answer to the incident's newest plan; null: the gate holds none of it. `entries`: of the incident, oldest first. */
export function planAnswer(incident: Incident, entries: readonly LedgerEntry[]): PlanAnswer | null {
  const { gate, plan, outcome, closedAt, timeline } = incident;
  if (gate === null || gate.outcome !== "held") return null;
  const { planId } = gate;
  const own = entries.filter((one) => one.planId === planId);
  // A no to an earlier plan of the incident is what it ended with as well.
  const rejected = entries.findLast(({ kind }) => kind === LEDGER_KINDS.approvalRejected);
  if (rejected !== undefined || outcome === "denied")
    return { kind: "rejected", planId: rejected?.planId ?? planId, by: rejected?.actor ?? null };
  const expiresAt = plan?.id === planId ? plan.expiresAt : null;
  const isExpired =
    outcome === "expired" ||
    (expiresAt !== null && closedAt !== null && expiresAt <= closedAt) ||
    timeline.some(({ event, detail }) => event === "plan expired" && detail.startsWith(`${planId}:`));
  const approved = own.findLast(({ kind }) => kind === LEDGER_KINDS.approvalGiven);
  if (approved !== undefined) return { kind: "approved", planId, by: approved.actor };
  return { kind: isExpired ? "expired" : "unanswered", planId, expiresAt };
}
