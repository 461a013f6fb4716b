import type { Kysely, Transaction } from "kysely";
import { canonicalJson } from "../../core/guardrails/canonical-json.ts";
import type { GateTransaction, Intent } from "../../core/guardrails/gate-store.ts";
import type { Clock } from "../../core/ports.ts";
import { later } from "./batch.ts";
import { type Chain, storable } from "./chain.ts";
import { intentsQuery, readFacts } from "./gate-facts.ts";
import { intentOf, intentRow, permitOf, planOf } from "./rows.ts";
import type { IntentRow, LedgerTables } from "./tables.ts";
import type { Trust } from "./trust.ts";

const intentsInOrder = (database: Kysely<LedgerTables>) =>
  intentsQuery(database).orderBy("reserved_at").orderBy("intents.plan_id").orderBy("position");

/** What a watch asks at every look: put into words once, since that takes longer than to answer it. */
export const openIntents = (database: Kysely<LedgerTables>) =>
  intentsInOrder(database).where("finished_at", "is", null).compile();

/** The gate's view of one open transaction over the end of its chain, which is the caller's to close. */
export function gateTransaction(
  tx: Transaction<LedgerTables>,
  chain: Chain,
  clock: Clock,
  allOpen: ReturnType<typeof openIntents>,
  trust: Trust | null,
): GateTransaction {
  const clockNow = clock.now();
  const { now } = chain;
  return {
    now,
    append: (draft) => chain.append(draft),
    trust: async (plan) => trust?.check(tx, plan),
    async plan(id) {
      const row = await tx.selectFrom("plans").selectAll().where("id", "=", id).executeTakeFirst();
      return row === undefined ? null : planOf(row);
    },
    async savePlan(plan) {
      const row = { id: plan.id, incident_id: plan.incidentId, hash: plan.hash, body: canonicalJson(plan) };
      await later(tx, tx.insertInto("plans").values(row));
    },
    async livePlans(hash) {
      const rows = await tx
        .selectFrom("plans")
        .selectAll()
        .where("hash", "=", hash)
        .where(({ not, exists, selectFrom }) =>
          not(exists(selectFrom("permits").select("permits.id").whereRef("permits.plan_id", "=", "plans.id"))),
        )
        .execute();
      const live = rows.map(planOf).filter(({ expiresAt }) => expiresAt > now);
      return live.toSorted((one, other) => other.createdAt - one.createdAt);
    },
    facts: (plan, windowMs) => readFacts(tx, plan, { now, clockNow, windowMs }),
    async intents({ planId, open }) {
      if (planId === undefined && open === true) return (await tx.executeQuery(allOpen)).rows.map(intentOf);
      let query = intentsInOrder(tx);
      if (planId !== undefined) query = query.where("intents.plan_id", "=", planId);
      if (open !== undefined) query = query.where("finished_at", open ? "is" : "is not", null);
      return (await query.execute()).map(intentOf);
    },
    async addIntents(intents) {
      await later(tx, tx.insertInto("intents").values(intents.map(intentRow)));
    },
    async updateIntent(planId, position, patch) {
      const update = tx.updateTable("intents").set(intentPatch(patch)).where("plan_id", "=", planId);
      await later(tx, update.where("position", "=", position));
    },
    async addPermit(permit) {
      const row = {
        plan_id: permit.planId,
        id: permit.id,
        plan_hash: permit.planHash,
        issued_at: permit.issuedAt,
        expires_at: permit.expiresAt,
        redeemed_at: permit.redeemedAt,
      };
      await later(tx, tx.insertInto("permits").values(row));
    },
    async permit(planId) {
      const row = await tx.selectFrom("permits").selectAll().where("plan_id", "=", planId).executeTakeFirst();
      return row === undefined ? null : permitOf(row);
    },
    async redeemPermit({ id, planId, planHash }) {
      const done = await tx
        .updateTable("permits")
        .set({ redeemed_at: now })
        .where("id", "=", id)
        .where("plan_id", "=", planId)
        .where("plan_hash", "=", planHash)
        .where("redeemed_at", "is", null)
        .where("expires_at", ">", now)
        .executeTakeFirst();
      return done.numUpdatedRows === 1n;
    },
    async addApproval(approval) {
      const row = {
        plan_id: approval.planId,
        plan_hash: approval.planHash,
        answer: approval.answer,
        approver: storable(approval.by),
        reason: storable(approval.reason),
        at: approval.at,
        expires_at: approval.expiresAt,
        wall_expires_at: approval.wallExpiresAt,
        proof: approval.proof ?? null,
      };
      await later(tx, tx.insertInto("approvals").values(row));
    },
    async setPause({ scope, by, at }) {
      const write = tx.insertInto("pauses").values({ scope, paused_by: by, at });
      await later(
        tx,
        write.onConflict((conflict) => conflict.column("scope").doNothing()),
      );
    },
    async clearPause(scope) {
      const done = await tx.deleteFrom("pauses").where("scope", "=", scope).executeTakeFirst();
      return done.numDeletedRows > 0n;
    },
    async bodiesSince(kinds, after) {
      const rows = await tx
        .selectFrom("entries")
        .select("body")
        .where("kind", "in", kinds)
        .where("at", ">", after)
        .orderBy("seq")
        .execute();
      return rows.map(({ body }): unknown => JSON.parse(body));
    },
    async countEntries(kind, after) {
      const row = await tx
        .selectFrom("entries")
        .select((select) => select.fn.countAll<number>().as("count"))
        .where("kind", "=", kind)
        .where("at", ">", after)
        .executeTakeFirstOrThrow();
      return Number(row.count);
    },
  };
}

type Patch = Partial<Pick<Intent, "attempts" | "owner" | "leaseUntil" | "result" | "finishedAt" | "released">>;

function intentPatch(patch: Patch): Partial<IntentRow> {
  return {
    ...(patch.attempts === undefined ? {} : { attempts: patch.attempts }),
    ...(patch.owner === undefined ? {} : { owner: patch.owner }),
    ...(patch.leaseUntil === undefined ? {} : { lease_until: patch.leaseUntil }),
    ...(patch.result === undefined ? {} : { result: patch.result === null ? null : canonicalJson(patch.result) }),
    ...(patch.finishedAt === undefined ? {} : { finished_at: patch.finishedAt }),
    ...(patch.released === undefined ? {} : { released: Number(patch.released) }),
  };
}
