import { type GateTransaction, LEDGER_KINDS, type Permit } from "../../core/guardrails/gate-store.ts";
import type { Plan } from "../../core/model/plan.ts";

/** A one-time right to execute one plan: a row in the ledger. A plan gets one in its life, so it runs once (S1). */
export async function issuePermit(tx: GateTransaction, plan: Plan, id: string, lifetimeMs: number): Promise<Permit> {
  const permit: Permit = {
    id,
    planId: plan.id,
    planHash: plan.hash,
    issuedAt: tx.now,
    expiresAt: tx.now + lifetimeMs,
    redeemedAt: null,
  };
  await tx.addPermit(permit);
  return permit;
}

/**
 * Spends a permit by compare-and-set and writes that down: true for one caller, once, before it expires, and only
 * with this id, plan and hash together.
 */
export async function redeemPermit(
  tx: GateTransaction,
  permit: Pick<Permit, "id" | "planId" | "planHash">,
  plan: Plan,
  owner: string,
): Promise<boolean> {
  if (!(await tx.redeemPermit(permit))) return false;
  await tx.append({
    kind: LEDGER_KINDS.permitRedeemed,
    incidentId: plan.incidentId,
    planId: plan.id,
    actor: "gate",
    body: { permit: permit.id, owner },
  });
  return true;
}
