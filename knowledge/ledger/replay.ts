import { z } from "zod";
import { canonicalJson } from "../../core/guardrails/canonical-json.ts";
import { LEDGER_KINDS } from "../../core/guardrails/gate-store.ts";
import { targetKey } from "../../core/guardrails/targets.ts";
import { Target } from "../../core/model/plan.ts";
import { storable } from "./chain.ts";
import type { EntryRow, LedgerTables } from "./tables.ts";

/** The tables whose rows follow from the entries: all but the chain's own, and what the watch says of itself. */
export type Projected = Exclude<keyof LedgerTables, "entries" | "head" | "evaluations">;

/** A row as the entries amount to it; undefined: a column of which they do not tell. `seq`: the entry that speaks last of it. */
export interface Recomputed<Table extends Projected> {
  readonly seq: number;
  readonly row: { readonly [Column in keyof LedgerTables[Table]]: LedgerTables[Table][Column] | undefined };
}

/** An entry whose kind unship alone writes, with a body that unship never wrote. */
class Unreadable extends Error {}

const Saved = z.object({
  stage: z.string(),
  detectedAt: z.number(),
  recovery: z.object({ verdict: z.string() }).nullable(),
  gate: z.object({ planId: z.string() }).nullable(),
  plan: z.object({ id: z.string() }).nullable(),
});
const Proposed = z.object({ hash: z.string() });
const Reserved = z.object({
  permit: z.string(),
  permitExpiresAt: z.number(),
  planHash: z.string(),
  automatic: z.boolean(),
  owner: z.string().optional(),
  intents: z.array(
    z.object({
      position: z.number(),
      key: z.string(),
      target: z.unknown(),
      reaches: z.array(z.string()).optional(),
    }),
  ),
});
const Attempted = z.object({ position: z.number() });
const Finished = z.object({
  position: z.number(),
  result: z.looseObject({ result: z.string() }),
  released: z.boolean(),
});
const Recovering = z.object({ positions: z.array(z.number()), owner: z.string().optional() });
const Answered = z.object({
  planHash: z.string(),
  expiresAt: z.number(),
  reason: z.string(),
  wallExpiresAt: z.number().optional(),
  proof: z.string().optional(),
});
const Scoped = z.object({ scope: z.string() });
const Healthy = z.object({ service: z.string() });

/** Tables as the entries so far amount to them, by what tells their rows apart. */
function emptyTables() {
  return {
    incidents: new Map<string, Recomputed<"incidents">>(),
    plans: new Map<string, Recomputed<"plans">>(),
    permits: new Map<string, Recomputed<"permits">>(),
    intents: new Map<string, Recomputed<"intents">>(),
    approvals: new Map<string, Recomputed<"approvals">>(),
    pauses: new Map<string, Recomputed<"pauses">>(),
    recoveries: new Map<string, Recomputed<"recoveries">>(),
    healthy_changes: new Map<string, Recomputed<"healthy_changes">>(),
  };
}
type Tables = ReturnType<typeof emptyTables>;

type Play = (entry: EntryRow, body: unknown, tables: Tables) => void;

/** What one entry of each kind does to the tables: as the transactions that write both do it. */
const PLAYS: ReadonlyMap<string, Play> = new Map<string, Play>([
  [LEDGER_KINDS.incidentSaved, saved],
  [LEDGER_KINDS.planProposed, proposed],
  [LEDGER_KINDS.planReserved, reserved],
  [LEDGER_KINDS.permitRedeemed, redeemed],
  [LEDGER_KINDS.targetAttempted, attempted],
  [LEDGER_KINDS.targetFinished, finished],
  [LEDGER_KINDS.planRecovering, recovering],
  [LEDGER_KINDS.approvalGiven, answered("approve")],
  [LEDGER_KINDS.approvalRejected, answered("reject")],
  [LEDGER_KINDS.paused, paused],
  [LEDGER_KINDS.resumed, (_, body, { pauses }) => pauses.delete(read(Scoped, body).scope)],
  [LEDGER_KINDS.changeHealthy, healthy],
]);

/** The kinds of entries that rows follow from. */
export const REPLAYED_KINDS: readonly string[] = [...PLAYS.keys()];

export interface Replay {
  /** Plays the next entry, in the chain's order. False: its body is not one that unship writes, and nothing follows from it. */
  play(entry: EntryRow): boolean;
  readonly tables: Tables;
}

/** Starts from empty tables. */
export function createReplay(): Replay {
  const tables = emptyTables();
  return {
    tables,
    play(entry) {
      try {
        PLAYS.get(entry.kind)?.(entry, JSON.parse(entry.body), tables);
        return true;
      } catch (error) {
        if (error instanceof Unreadable) return false;
        throw error;
      }
    },
  };
}

function read<S extends z.ZodType>(schema: S, body: unknown): z.infer<S> {
  const checked = schema.safeParse(body);
  if (!checked.success) throw new Unreadable();
  return checked.data;
}

function named(id: string | null): string {
  if (id === null) throw new Unreadable();
  return id;
}

function saved({ seq, at, incident_id, body: text }: EntryRow, body: unknown, { incidents, recoveries }: Tables): void {
  const { stage, detectedAt, recovery, gate, plan } = read(Saved, body);
  const id = named(incident_id);
  const open = Number(stage !== "closed");
  incidents.set(id, { seq, row: { id, open, detected_at: detectedAt, entry_seq: seq, body: text } });
  const planId = gate?.planId ?? plan?.id;
  if (recovery === null || recovery.verdict === "pending" || planId === undefined) return;
  recoveries.set(planId, { seq, row: { plan_id: planId, verdict: recovery.verdict, at } });
}

function proposed({ seq, plan_id, incident_id, body: text }: EntryRow, body: unknown, { plans }: Tables): void {
  const { hash } = read(Proposed, body);
  const id = named(plan_id);
  plans.set(id, { seq, row: { id, incident_id: named(incident_id), hash, body: text } });
}

function reserved(entry: EntryRow, body: unknown, { permits, intents }: Tables): void {
  const { seq, at } = entry;
  const planId = named(entry.plan_id);
  const incidentId = named(entry.incident_id);
  const { permit, permitExpiresAt, planHash, automatic, owner, intents: units } = read(Reserved, body);
  const row = { plan_id: planId, id: permit, plan_hash: planHash, issued_at: at, expires_at: permitExpiresAt };
  permits.set(planId, { seq, row: { ...row, redeemed_at: null } });
  for (const { position, key, target, reaches } of units) {
    // Spelled as it stands in the entry: a field that this version does not know is part of the row, too.
    const { service, action, ...rest } = read(Target, target);
    intents.set(unit(planId, position), {
      seq,
      row: {
        plan_id: planId,
        position,
        incident_id: incidentId,
        service,
        action,
        target: canonicalJson(target),
        target_key: targetKey(rest),
        reaches: reaches === undefined ? null : canonicalJson(reaches),
        attempt_key: key,
        automatic: Number(automatic),
        reserved_at: at,
        attempts: 0,
        owner,
        // Prolonged without an entry, as often as whoever works on it looks at it.
        lease_until: undefined,
        result: null,
        finished_at: null,
        released: 0,
      },
    });
  }
}

function redeemed({ seq, at, plan_id }: EntryRow, _: unknown, { permits }: Tables): void {
  const permit = permits.get(named(plan_id));
  if (permit !== undefined) permits.set(named(plan_id), { seq, row: { ...permit.row, redeemed_at: at } });
}

function attempted({ seq, plan_id }: EntryRow, body: unknown, { intents }: Tables): void {
  const { position } = read(Attempted, body);
  change(intents, seq, unit(named(plan_id), position), ({ attempts }) => ({ attempts: (attempts ?? 0) + 1 }));
}

function finished({ seq, at, plan_id }: EntryRow, body: unknown, { intents }: Tables): void {
  const { position, result, released } = read(Finished, body);
  // An unknown result leaves the target busy: it has not finished (S5).
  const end = result.result === "unknown" ? {} : { finished_at: at, released: Number(released) };
  change(intents, seq, unit(named(plan_id), position), () => ({ result: canonicalJson(result), ...end }));
}

function recovering({ seq, plan_id }: EntryRow, body: unknown, { intents }: Tables): void {
  const { positions, owner } = read(Recovering, body);
  for (const position of positions) change(intents, seq, unit(named(plan_id), position), () => ({ owner }));
}

function answered(answer: string): Play {
  return ({ seq, at, plan_id, actor }, body, { approvals }) => {
    const { planHash, expiresAt, reason, wallExpiresAt, proof = null } = read(Answered, body);
    const id = named(plan_id);
    const row = { plan_id: id, plan_hash: planHash, answer, approver: actor, reason: storable(reason), at, proof };
    // Entries of earlier versions do not tell the end by the machine's clock.
    approvals.set(String(seq), { seq, row: { ...row, expires_at: expiresAt, wall_expires_at: wallExpiresAt } });
  };
}

function paused({ seq, at, actor }: EntryRow, body: unknown, { pauses }: Tables): void {
  const { scope } = read(Scoped, body);
  // Whoever paused it first stands there until it is resumed.
  if (!pauses.has(scope)) pauses.set(scope, { seq, row: { scope, paused_by: actor, at } });
}

function healthy({ seq, at }: EntryRow, body: unknown, { healthy_changes }: Tables): void {
  const { service } = read(Healthy, body);
  healthy_changes.set(service, { seq, row: { service, at } });
}

const unit = (planId: string, position: number): string => canonicalJson([planId, position]);

type IntentColumns = Recomputed<"intents">["row"];

function change(
  intents: Tables["intents"],
  seq: number,
  key: string,
  to: (row: IntentColumns) => Partial<IntentColumns>,
): void {
  const known = intents.get(key);
  if (known !== undefined) intents.set(key, { seq, row: { ...known.row, ...to(known.row) } });
}
