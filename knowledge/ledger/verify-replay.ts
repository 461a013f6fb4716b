import type { Kysely } from "kysely";
import { z } from "zod";
import { canonicalJson } from "../../core/guardrails/canonical-json.ts";
import { LEDGER_KINDS } from "../../core/guardrails/gate-store.ts";
import type { EntryRow, LedgerTables } from "./tables.ts";

/** An entry whose kind the gate alone writes, with a body that the gate never wrote. */
class Unreadable extends Error {
  readonly seq: number;
  constructor(seq: number) {
    super("its body is not one that the gate writes");
    this.seq = seq;
  }
}

interface Problem {
  readonly seq: number;
  readonly reason: string;
}

/** What the entries amount to: a row's text for people, by the row's key, with the entry that speaks last of it. */
type Expected = Map<string, { readonly seq: number; readonly text: string; readonly value: string }>;

const Reserved = z.object({ permit: z.string(), permitExpiresAt: z.number(), planHash: z.string() });
const Finished = z.object({
  position: z.number(),
  result: z.looseObject({ result: z.string() }),
  released: z.boolean(),
});
const Attempted = z.object({ position: z.number() });
const Scoped = z.object({ scope: z.string() });
const Healthy = z.object({ service: z.string() });
const Saved = z.object({
  recovery: z.object({ verdict: z.string() }).nullable(),
  gate: z.object({ planId: z.string() }).nullable(),
  plan: z.object({ id: z.string() }).nullable(),
});

/**
 * Plays the entries again and compares what they amount to with the rows that the gate decides by: how each target
 * ended, permits, pauses, recoveries, and the changes that proved healthy. Missing, added and edited rows are named.
 */
export async function verifyReplay(database: Kysely<LedgerTables>): Promise<readonly Problem[]> {
  const kinds = [
    LEDGER_KINDS.planReserved,
    LEDGER_KINDS.permitRedeemed,
    LEDGER_KINDS.targetAttempted,
    LEDGER_KINDS.targetFinished,
    LEDGER_KINDS.paused,
    LEDGER_KINDS.resumed,
    LEDGER_KINDS.incidentSaved,
    LEDGER_KINDS.changeHealthy,
  ];
  const entries = await database.selectFrom("entries").selectAll().where("kind", "in", kinds).orderBy("seq").execute();
  let expected: ReturnType<typeof replay>;
  try {
    expected = replay(entries);
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    return [{ seq: error.seq, reason: error.message }];
  }
  const found: Problem[] = [];
  for (const [table, rows] of Object.entries(await standing(database))) {
    found.push(...differences(expected[table as keyof typeof expected], rows));
  }
  return found;
}

function replay(entries: readonly EntryRow[]) {
  const read = <S extends z.ZodType>(schema: S, body: unknown, seq: number): z.infer<S> => {
    const checked = schema.safeParse(body);
    if (!checked.success) throw new Unreadable(seq);
    return checked.data;
  };
  const tables = {
    permits: new Map() as Expected,
    endings: new Map() as Expected,
    pauses: new Map() as Expected,
    recoveries: new Map() as Expected,
    healthy: new Map() as Expected,
  };
  const permits = new Map<string, { readonly body: z.infer<typeof Reserved>; readonly at: number }>();
  const attempts = new Map<string, number>();
  for (const { seq, at, kind, plan_id: planId, actor, body: text } of entries) {
    const body: unknown = JSON.parse(text);
    const plan = planId ?? "";
    switch (kind) {
      case LEDGER_KINDS.planReserved: {
        const reserved = read(Reserved, body, seq);
        permits.set(plan, { body: reserved, at });
        tables.permits.set(plan, { seq, text: permitText(plan), value: permitValue(reserved, at, null) });
        break;
      }
      case LEDGER_KINDS.permitRedeemed: {
        const permit = permits.get(plan);
        const value = permit === undefined ? "" : permitValue(permit.body, permit.at, at);
        tables.permits.set(plan, { seq, text: permitText(plan), value });
        break;
      }
      case LEDGER_KINDS.targetAttempted: {
        const key = endingKey(plan, read(Attempted, body, seq).position);
        attempts.set(key, (attempts.get(key) ?? 0) + 1);
        break;
      }
      case LEDGER_KINDS.targetFinished: {
        const { position, result, released } = read(Finished, body, seq);
        const key = endingKey(plan, position);
        // An unknown result leaves the target busy: it has not finished (S5).
        const finishedAt = result.result === "unknown" ? null : at;
        const value = endingValue(canonicalJson(result), finishedAt, released, attempts.get(key) ?? 0);
        tables.endings.set(key, { seq, text: endingText(plan, position), value });
        break;
      }
      case LEDGER_KINDS.paused: {
        const { scope } = read(Scoped, body, seq);
        if (tables.pauses.has(scope)) break;
        tables.pauses.set(scope, { seq, text: pauseText(scope), value: canonicalJson([actor, at]) });
        break;
      }
      case LEDGER_KINDS.resumed:
        tables.pauses.delete(read(Scoped, body, seq).scope);
        break;
      case LEDGER_KINDS.incidentSaved: {
        const { recovery, gate, plan: own } = read(Saved, body, seq);
        const id = gate?.planId ?? own?.id;
        if (recovery === null || recovery.verdict === "pending" || id === undefined) break;
        tables.recoveries.set(id, { seq, text: recoveryText(id), value: canonicalJson([recovery.verdict, at]) });
        break;
      }
      case LEDGER_KINDS.changeHealthy: {
        const { service } = read(Healthy, body, seq);
        tables.healthy.set(service, { seq, text: healthyText(service), value: canonicalJson([at]) });
        break;
      }
    }
  }
  return tables;
}

type Rows = readonly { readonly key: string; readonly text: string; readonly value: string }[];

async function standing(database: Kysely<LedgerTables>): Promise<Record<keyof ReturnType<typeof replay>, Rows>> {
  const permits = await database.selectFrom("permits").selectAll().execute();
  const intents = await database.selectFrom("intents").selectAll().where("result", "is not", null).execute();
  const open = await database.selectFrom("intents").selectAll().where("result", "is", null).execute();
  const pauses = await database.selectFrom("pauses").selectAll().execute();
  const recoveries = await database.selectFrom("recoveries").selectAll().execute();
  const healthy = await database.selectFrom("healthy_changes").selectAll().execute();
  // A reservation without a result has neither an end nor a released unit.
  const ended = open.filter(({ finished_at, released }) => finished_at !== null || released !== 0);
  return {
    permits: permits.map((row) => ({
      key: row.plan_id,
      text: permitText(row.plan_id),
      value: permitValue(
        { permit: row.id, permitExpiresAt: row.expires_at, planHash: row.plan_hash },
        row.issued_at,
        row.redeemed_at,
      ),
    })),
    endings: [...intents, ...ended].map((row) => ({
      key: endingKey(row.plan_id, row.position),
      text: endingText(row.plan_id, row.position),
      value: endingValue(row.result ?? "", row.finished_at, row.released === 1, row.attempts),
    })),
    pauses: pauses.map(({ scope, paused_by, at }) => ({
      key: scope,
      text: pauseText(scope),
      value: canonicalJson([paused_by, at]),
    })),
    recoveries: recoveries.map(({ plan_id, verdict, at }) => ({
      key: plan_id,
      text: recoveryText(plan_id),
      value: canonicalJson([verdict, at]),
    })),
    healthy: healthy.map(({ service, at }) => ({
      key: service,
      text: healthyText(service),
      value: canonicalJson([at]),
    })),
  };
}

function differences(expected: Expected, rows: Rows): readonly Problem[] {
  const known = new Set(rows.map(({ key }) => key));
  return [
    ...rows.flatMap(({ key, text, value }): readonly Problem[] => {
      const entry = expected.get(key);
      if (entry === undefined) return [{ seq: 0, reason: `${text} stands in no entry` }];
      return entry.value === value ? [] : [{ seq: entry.seq, reason: `${text} was changed` }];
    }),
    ...[...expected]
      .filter(([key]) => !known.has(key))
      .map(([, { seq, text }]) => ({ seq, reason: `${text} is gone` })),
  ];
}

const permitText = (plan: string): string => `the permit of plan ${plan}`;
const pauseText = (scope: string): string => `the pause of ${scope}`;
const recoveryText = (plan: string): string => `the recovery of plan ${plan}`;
const healthyText = (service: string): string => `the healthy change of ${service}`;
const endingText = (plan: string, position: number): string => `the result of target ${position} of plan ${plan}`;
const endingKey = (plan: string, position: number): string => canonicalJson([plan, position]);

const endingValue = (result: string, finishedAt: number | null, released: boolean, attempts: number): string =>
  canonicalJson([result, finishedAt, released, attempts]);

const permitValue = (
  { permit, permitExpiresAt, planHash }: z.infer<typeof Reserved>,
  issuedAt: number,
  redeemedAt: number | null,
): string => canonicalJson([permit, planHash, issuedAt, permitExpiresAt, redeemedAt]);
