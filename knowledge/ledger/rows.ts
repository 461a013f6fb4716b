import { z } from "zod";
import { UnshipError } from "../../core/errors.ts";
import { canonicalJson } from "../../core/guardrails/canonical-json.ts";
import type { Approval, Intent, Permit } from "../../core/guardrails/gate-store.ts";
import { RecoveryVerdict } from "../../core/model/incident.ts";
import { Plan, Target, TargetResult } from "../../core/model/plan.ts";
import type { IntentRow, LedgerTables } from "./tables.ts";

/** A text column → a checked value. Throws `ledger.corrupt` naming the row: nobody acts on a row that does not fit. */
export function parsed<S extends z.ZodType>(schema: S, text: string, where: string): z.infer<S> {
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    throw new UnshipError("ledger.corrupt", { what: where, reason: "it is not one that unship writes" }, { cause });
  }
}

export const planOf = (row: LedgerTables["plans"]): Plan => parsed(Plan, row.body, `plan ${row.id}`);

export function intentOf(row: IntentRow & { readonly recovery: string | null }): Intent {
  const where = `intent ${row.plan_id}/${row.position}`;
  return {
    planId: row.plan_id,
    position: row.position,
    incidentId: row.incident_id,
    target: parsed(Target, row.target, where),
    targetKey: row.target_key,
    ...(row.reaches === null ? {} : { reaches: parsed(z.array(z.string()), row.reaches, where) }),
    key: row.attempt_key,
    automatic: row.automatic === 1,
    reservedAt: row.reserved_at,
    attempts: row.attempts,
    owner: row.owner,
    leaseUntil: row.lease_until,
    result: row.result === null ? null : parsed(TargetResult, row.result, where),
    finishedAt: row.finished_at,
    released: row.released === 1,
    recovery: row.recovery === null ? null : parsed(RecoveryVerdict, JSON.stringify(row.recovery), where),
  };
}

export function intentRow(intent: Omit<Intent, "recovery">): IntentRow {
  return {
    plan_id: intent.planId,
    position: intent.position,
    incident_id: intent.incidentId,
    service: intent.target.service,
    action: intent.target.action,
    target: canonicalJson(intent.target),
    target_key: intent.targetKey,
    reaches: intent.reaches === undefined ? null : canonicalJson(intent.reaches),
    attempt_key: intent.key,
    automatic: Number(intent.automatic),
    reserved_at: intent.reservedAt,
    attempts: intent.attempts,
    owner: intent.owner,
    lease_until: intent.leaseUntil,
    result: intent.result === null ? null : canonicalJson(intent.result),
    finished_at: intent.finishedAt,
    released: Number(intent.released),
  };
}

export function permitOf(row: LedgerTables["permits"]): Permit {
  return {
    id: row.id,
    planId: row.plan_id,
    planHash: row.plan_hash,
    issuedAt: row.issued_at,
    expiresAt: row.expires_at,
    redeemedAt: row.redeemed_at,
  };
}

export function approvalOf(row: LedgerTables["approvals"]): Approval {
  return {
    planId: row.plan_id,
    planHash: row.plan_hash,
    answer: parsed(z.enum(["approve", "reject"]), JSON.stringify(row.answer), `approval of ${row.plan_id}`),
    by: row.approver,
    reason: row.reason,
    at: row.at,
    expiresAt: row.expires_at,
    wallExpiresAt: row.wall_expires_at,
    ...(row.proof === null ? {} : { proof: row.proof }),
  };
}
