import { type Kysely, sql, type Transaction } from "kysely";
import { z } from "zod";
import { isOfAnotherTime } from "../../core/guardrails/approval-time.ts";
import type { Approval, IncidentStanding, StoreFacts } from "../../core/guardrails/gate-store.ts";
import { LEDGER_KINDS, WROTE_NOTHING } from "../../core/guardrails/gate-store.ts";
import { sharedUndoing, targetKey } from "../../core/guardrails/targets.ts";
import { GateAnswer, GuardrailVerdict, NO_INCIDENT, Plan } from "../../core/model/plan.ts";
import { together } from "./batch.ts";
import { approvalOf, intentOf, parsed, permitOf } from "./rows.ts";
import type { LedgerTables } from "./tables.ts";

type Tx = Transaction<LedgerTables>;

/** All intents, with how verification of their plan ended. */
export const intentsQuery = (tx: Kysely<LedgerTables>) =>
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
  const since = times.now - times.windowMs;
  const recent = counting(others).where("reserved_at", ">", since).orderBy("reserved_at").compile();
  // One that was reserved long ago and finished only now, after a crash, still starts a cooldown.
  const finished = counting(others).where("finished_at", ">", since).compile();
  const busy = others.where("finished_at", "is", null).compile();
  const pauses = tx.selectFrom("pauses").selectAll().orderBy("at").compile();
  const approvals = tx.selectFrom("approvals").selectAll().where("plan_id", "=", plan.id).orderBy("at").compile();
  const told = tx
    .selectFrom("entries")
    .select(["kind", "actor", "at", "body"])
    .where("plan_id", "=", plan.id)
    .where("kind", "in", [LEDGER_KINDS.planReviewed, LEDGER_KINDS.approvalGiven])
    .orderBy("seq")
    .compile();
  const permits = tx.selectFrom("permits").selectAll().where("plan_id", "=", plan.id).compile();
  const automatic = counting(others).where("automatic", "=", sql.lit(1)).orderBy("reserved_at").compile();
  const healthy = tx.selectFrom("healthy_changes").selectAll().compile();
  const reserved = intentsQuery(tx).where("intents.plan_id", "=", plan.id).orderBy("position").compile();
  const refused = refusedQuery(tx, plan).compile();
  const incident = tx.selectFrom("incidents").select("open").where("id", "=", plan.incidentId).compile();
  const acts = keys.map((key) => ownActsQuery(others, key).compile());
  const found = await together(tx, (ask) =>
    Promise.all([
      ask(finished),
      ask(recent),
      ask(busy),
      ask(pauses),
      ask(approvals),
      ask(permits),
      ask(automatic),
      ask(healthy),
      ask(reserved),
      ask(told),
      ask(refused),
      ask(incident),
      Promise.all(acts.map(ask)),
    ]),
  );
  const [finishedRows, recentRows, busyRows, pauseRows, approvalRows, [permit], ...rest] = found;
  const [automaticRows, healthyRows, reservedRows, toldRows, refusedRows, [incidentRow], actRows] = rest;
  const late = finishedRows
    .filter(({ reserved_at }) => reserved_at <= since)
    .toSorted((one, other) => one.reserved_at - other.reserved_at);
  return {
    skewMs: Math.max(0, times.now - times.clockNow),
    pauses: pauseRows.map(({ scope, paused_by, at }) => ({ scope, by: paused_by, at })),
    used: [...late, ...recentRows].map(intentOf),
    automatic: automaticRows.map(intentOf),
    healthy: new Map(healthyRows.map(({ service, at }) => [service, at])),
    busy: busyRows.map(intentOf),
    ownActs: actRows
      .flatMap((rows) => rows.map(intentOf))
      .filter(({ result }) => result !== null && !WROTE_NOTHING.includes(result.result)),
    approvals: withShown(approvalRows.map(approvalOf), toldRows),
    incident: standingOf(plan, incidentRow),
    refusals: refusedRows.flatMap(({ id, body, approver, reason, at }) => {
      const targets = sharedUndoing(plan.targets, parsed(Plan, body, `plan ${id}`).targets);
      return targets.length === 0 ? [] : [{ planId: id, by: approver, reason, at, targets }];
    }),
    reserved: reservedRows.map(intentOf),
    permit: permit === undefined ? null : permitOf(permit),
    // Only a plan that has had a permit can have an answer.
    answer: permit === undefined ? null : await lastAnswer(tx, plan.id),
  };
}

function standingOf({ incidentId }: Plan, row: Pick<LedgerTables["incidents"], "open"> | undefined): IncidentStanding {
  if (incidentId === NO_INCIDENT) return "none";
  if (row === undefined) return "unknown";
  return row.open === 1 ? "open" : "closed";
}

type IntentsQuery = ReturnType<typeof intentsQuery>;

/** What counts for budgets. Spelled out: an index over part of a table serves no statement that names it by a parameter. */
const counting = (others: IntentsQuery) => others.where("released", "=", sql.lit(0));

/** Other plans that a person said no to: few, since each is one that somebody read. */
function refusedQuery(tx: Kysely<LedgerTables>, { id }: Plan) {
  return tx
    .selectFrom("approvals")
    .innerJoin("plans", "plans.id", "approvals.plan_id")
    .select(["plans.id", "plans.body", "approvals.approver", "approvals.reason", "approvals.at"])
    .where("approvals.answer", "=", "reject")
    .where("plans.id", "!=", id)
    .orderBy("approvals.at");
}

const Reviewed = z.looseObject({
  concerned: z.array(z.string()),
  clockAt: z.number(),
  decided: z.string().nullable().optional(),
  review: z.looseObject({ verdict: GuardrailVerdict }).optional(),
});
type Told = Pick<LedgerTables["entries"], "kind" | "actor" | "at" | "body">;

/** Adds to each yes what the review before it showed, whether it had to wait, and whether a review after it ran on an earlier clock. */
function withShown(approvals: readonly Approval[], told: readonly Told[]): readonly Approval[] {
  const reviews = told.map(({ kind, body }) =>
    kind === LEDGER_KINDS.planReviewed ? (Reviewed.safeParse(JSON.parse(body)).data ?? null) : null,
  );
  return approvals.map((one) => {
    const place = told.findLastIndex(
      ({ kind, actor, at }) => kind === LEDGER_KINDS.approvalGiven && actor === one.by && at === one.at,
    );
    const read = reviews.slice(0, Math.max(0, place)).findLast((review) => review !== null);
    const { concerned: shown, decided } = read ?? {};
    const isDeferred = [read, ...reviews.slice(place + 1)].some((review) => review?.review?.verdict === "deny");
    const isOutlived = reviews
      .slice(place + 1)
      .some((review) => review !== null && isOfAnotherTime(one, review.clockAt));
    return {
      ...one,
      ...(shown === undefined ? {} : { shown }),
      ...(decided === undefined ? {} : { decided }),
      ...(isDeferred ? { isDeferred: true } : {}),
      ...(isOutlived ? { isOfAnotherTime: true } : {}),
    };
  });
}

/** All acts at one object, the newest first: what any of them took away must not come back by itself. */
function ownActsQuery(others: IntentsQuery, key: string) {
  return others
    .where("target_key", "=", key)
    .where("finished_at", "is not", null)
    .where("released", "=", 0)
    .orderBy("finished_at", "desc");
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
  return row === undefined ? null : parsed(GateAnswer, row.body, `entry ${row.seq}`);
}
