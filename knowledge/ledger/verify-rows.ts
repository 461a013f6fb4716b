import type { Kysely } from "kysely";
import { z } from "zod";
import { canonicalJson } from "../../core/guardrails/canonical-json.ts";
import { LEDGER_KINDS } from "../../core/guardrails/gate-store.ts";
import { Target } from "../../core/model/plan.ts";
import type { LedgerTables } from "./tables.ts";
import { verifyReplay } from "./verify-replay.ts";

interface Problem {
  readonly seq: number;
  readonly reason: string;
}

const Reserved = z.object({
  automatic: z.boolean(),
  intents: z.array(z.object({ position: z.number(), target: Target })),
});
const Answered = z.object({ planHash: z.string(), expiresAt: z.number() });

/**
 * Compares the rows that the gate decides by with the entries that they stand for: a plan that was edited, an
 * approval that nobody gave, a unit that was taken out of the budget. `seq` is the entry's, or 0 where there is none.
 */
export async function verifyRows(database: Kysely<LedgerTables>): Promise<readonly Problem[]> {
  const found = await Promise.all([
    plans(database),
    approvals(database),
    intents(database),
    incidents(database),
    verifyReplay(database),
  ]);
  return found.flat();
}

async function plans(database: Kysely<LedgerTables>): Promise<readonly Problem[]> {
  const entries = await entriesOf(database, [LEDGER_KINDS.planProposed]);
  const rows = await database.selectFrom("plans").selectAll().execute();
  const bodies = new Map(entries.map((entry) => [entry.plan_id, entry]));
  const edited = rows.flatMap((row): Problem[] => {
    const entry = bodies.get(row.id);
    if (entry === undefined) return [{ seq: 0, reason: `plan ${row.id} was never proposed` }];
    return entry.body === row.body ? [] : [{ seq: entry.seq, reason: `plan ${row.id} is not as it was proposed` }];
  });
  const known = new Set(rows.map(({ id }) => id));
  const gone = entries.filter(({ plan_id }) => plan_id !== null && !known.has(plan_id));
  return [...edited, ...gone.map(({ seq, plan_id }) => ({ seq, reason: `plan ${plan_id} is gone` }))];
}

async function approvals(database: Kysely<LedgerTables>): Promise<readonly Problem[]> {
  const entries = await entriesOf(database, [LEDGER_KINDS.approvalGiven, LEDGER_KINDS.approvalRejected]);
  const rows = await database.selectFrom("approvals").selectAll().execute();
  const given = entries.map((entry) => {
    const answer = entry.kind === LEDGER_KINDS.approvalGiven ? "approve" : "reject";
    const body = Answered.safeParse(JSON.parse(entry.body));
    return {
      seq: entry.seq,
      text: `${answer} of plan ${entry.plan_id} by ${entry.actor}`,
      key: canonicalJson([entry.plan_id, answer, entry.actor, body.data?.planHash, body.data?.expiresAt]),
    };
  });
  const standing = rows.map((row) => ({
    text: `${row.answer} of plan ${row.plan_id} by ${row.approver}`,
    key: canonicalJson([row.plan_id, row.answer, row.approver, row.plan_hash, row.expires_at]),
  }));
  const [entryKeys, rowKeys] = [given, standing].map((list) => new Set(list.map(({ key }) => key)));
  return [
    ...standing
      .filter(({ key }) => entryKeys?.has(key) === false)
      .map(({ text }) => ({ seq: 0, reason: `the ${text} stands in no entry` })),
    ...given
      .filter(({ key }) => rowKeys?.has(key) === false)
      .map(({ seq, text }) => ({ seq, reason: `the ${text} was changed or is gone` })),
  ];
}

async function intents(database: Kysely<LedgerTables>): Promise<readonly Problem[]> {
  const entries = await entriesOf(database, [LEDGER_KINDS.planReserved]);
  const rows = await database.selectFrom("intents").selectAll().execute();
  const keyOf = (plan: string | null, position: number, target: string, automatic: boolean, at: number): string =>
    canonicalJson([plan, position, target, automatic, at]);
  const reserved = entries.flatMap((entry) => {
    const body = Reserved.safeParse(JSON.parse(entry.body));
    if (!body.success) return [];
    return body.data.intents.map(({ position, target }) => ({
      seq: entry.seq,
      text: `target ${position} of plan ${entry.plan_id}`,
      key: keyOf(entry.plan_id, position, canonicalJson(target), body.data.automatic, entry.at),
    }));
  });
  const standing = new Map(
    rows.map((row) => [keyOf(row.plan_id, row.position, row.target, row.automatic === 1, row.reserved_at), row]),
  );
  const known = new Set(reserved.map(({ key }) => key));
  return [
    ...reserved
      .filter(({ key }) => !standing.has(key))
      .map(({ seq, text }) => ({ seq, reason: `the reservation of ${text} was changed or is gone` })),
    ...[...standing]
      .filter(([key]) => !known.has(key))
      .map(([, row]) => ({
        seq: 0,
        reason: `the reservation of target ${row.position} of plan ${row.plan_id} stands in no entry`,
      })),
  ];
}

async function incidents(database: Kysely<LedgerTables>): Promise<readonly Problem[]> {
  const rows = await database
    .selectFrom("incidents")
    .leftJoin("entries", "entries.seq", "incidents.entry_seq")
    .select(["incidents.id", "incidents.entry_seq"])
    .where((where) =>
      where.or([where("entries.body", "is", null), where("entries.body", "!=", where.ref("incidents.body"))]),
    )
    .execute();
  return rows.map(({ id, entry_seq }) => ({ seq: entry_seq, reason: `incident ${id} is not as it was saved` }));
}

const entriesOf = (database: Kysely<LedgerTables>, kinds: readonly string[]) =>
  database.selectFrom("entries").selectAll().where("kind", "in", kinds).orderBy("seq").execute();
