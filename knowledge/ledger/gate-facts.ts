import type { Transaction } from "kysely";
import type { Intent, StoreFacts } from "../../core/guardrails/gate-store.ts";
import { LEDGER_KINDS, WROTE_NOTHING } from "../../core/guardrails/gate-store.ts";
import { targetKey } from "../../core/guardrails/targets.ts";
import { GateAnswer, type Plan } from "../../core/model/plan.ts";
import { approvalOf, intentOf, parsed, permitOf } from "./rows.ts";
import type { LedgerTables } from "./tables.ts";

type Tx = Transaction<LedgerTables>;

/** All intents, with how verification of their plan ended. */
export const intentsQuery = (tx: Tx) =>
  tx
    .selectFrom("intents")
    .leftJoin("recoveries", "recoveries.plan_id", "intents.plan_id")
    .selectAll("intents")
    .select("recoveries.verdict as recovery");

/** Reads what bears on one plan, all of it inside the caller's transaction (S2, S14). */
export async function readFacts(
  tx: Tx,
  plan: Plan,
  times: { readonly now: number; readonly clockNow: number; readonly windowMs: number },
): Promise<StoreFacts> {
  const keys = plan.targets.map(targetKey);
  const others = intentsQuery(tx).where("intents.plan_id", "!=", plan.id);
  const used = await others
    .where("released", "=", 0)
    // One that was reserved long ago and finished only now, after a crash, still starts a cooldown.
    .where((where) =>
      where.or([
        where("reserved_at", ">", times.now - times.windowMs),
        where("finished_at", ">", times.now - times.windowMs),
      ]),
    )
    .orderBy("reserved_at")
    .execute();
  const busy = await others.where("finished_at", "is", null).where("target_key", "in", keys).execute();
  const pauses = await tx.selectFrom("pauses").selectAll().orderBy("at").execute();
  const approvals = await tx.selectFrom("approvals").selectAll().where("plan_id", "=", plan.id).orderBy("at").execute();
  const permit = await tx.selectFrom("permits").selectAll().where("plan_id", "=", plan.id).executeTakeFirst();
  return {
    skewMs: Math.max(0, times.now - times.clockNow),
    pauses: pauses.map(({ scope, paused_by, at }) => ({ scope, by: paused_by, at })),
    used: used.map(intentOf),
    streak: await streakOf(tx, plan),
    busy: busy.map(intentOf),
    lastActs: await lastActsAt(tx, plan, keys),
    approvals: approvals.map(approvalOf),
    permit: permit === undefined ? null : permitOf(permit),
    // Only a plan that has had a permit can have an answer.
    answer: permit === undefined ? null : await lastAnswer(tx, plan.id),
  };
}

/** Rollbacks that nobody approved, by service, since the last change of that service that proved healthy. */
async function streakOf(tx: Tx, plan: Plan): Promise<readonly Intent[]> {
  const rows = await intentsQuery(tx)
    .leftJoin("healthy_changes", "healthy_changes.service", "intents.service")
    .where("intents.plan_id", "!=", plan.id)
    .where("intents.service", "in", [...new Set(plan.targets.map(({ service }) => service))])
    .where("automatic", "=", 1)
    .where("released", "=", 0)
    .where((where) =>
      where.or([where("healthy_changes.at", "is", null), where("reserved_at", ">", where.ref("healthy_changes.at"))]),
    )
    .orderBy("reserved_at")
    .execute();
  return rows.map(intentOf);
}

async function lastActsAt(tx: Tx, plan: Plan, keys: readonly string[]): Promise<readonly Intent[]> {
  const acts: Intent[] = [];
  for (const key of keys) {
    const rows = await intentsQuery(tx)
      .where("intents.plan_id", "!=", plan.id)
      .where("target_key", "=", key)
      .where("finished_at", "is not", null)
      .where("released", "=", 0)
      .orderBy("finished_at", "desc")
      .limit(1)
      .execute();
    acts.push(...rows.map(intentOf));
  }
  return acts.filter(({ result }) => result !== null && !WROTE_NOTHING.includes(result.result));
}

async function lastAnswer(tx: Tx, planId: string): Promise<GateAnswer | null> {
  const row = await tx
    .selectFrom("entries")
    .select(["seq", "body"])
    .where("plan_id", "=", planId)
    .where("kind", "=", LEDGER_KINDS.planAnswered)
    .orderBy("seq", "desc")
    .limit(1)
    .executeTakeFirst();
  return row === undefined ? null : parsed(GateAnswer, row.body, String(row.seq));
}
