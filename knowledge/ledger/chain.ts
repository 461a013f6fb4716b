import { createHash } from "node:crypto";
import type { Transaction } from "kysely";
import { UnshipError } from "../../core/errors.ts";
import { canonicalJson } from "../../core/guardrails/canonical-json.ts";
import { LEDGER_KINDS } from "../../core/guardrails/gate-store.ts";
import type { LedgerDraft, LedgerEntry } from "../../core/ports.ts";
import type { EntryRow, LedgerTables } from "./tables.ts";

/** What the first entry follows. */
export const GENESIS = "0".repeat(64);

/** SHA-256 (hex) over the hash of the entry before and the canonical JSON of all else in this one. */
export function entryHash(entry: Omit<LedgerEntry, "hash">): string {
  const { prev, ...rest } = entry;
  return createHash("sha256")
    .update(`${prev}\n${canonicalJson(rest)}`)
    .digest("hex");
}

/** The last entry's number, time and hash; time and number are 0 in an empty ledger. */
export async function lastEntry(
  tx: Transaction<LedgerTables>,
): Promise<{ readonly seq: number; readonly at: number; readonly hash: string }> {
  const last = await tx
    .selectFrom("entries")
    .select(["seq", "at", "hash"])
    .orderBy("seq", "desc")
    .limit(1)
    .executeTakeFirst();
  return last ?? { seq: 0, at: 0, hash: GENESIS };
}

/**
 * Adds one entry at the end of the chain, inside the caller's transaction, at the store's time `now`.
 * Throws `ledger.corrupt` where the end of the chain is not the one that was written last.
 */
export async function appendEntry(
  tx: Transaction<LedgerTables>,
  draft: LedgerDraft,
  now: number,
): Promise<LedgerEntry> {
  const last = await lastEntry(tx);
  const head = await tx.selectFrom("head").select(["seq", "hash"]).executeTakeFirst();
  if (head !== undefined && (head.seq !== last.seq || head.hash !== last.hash)) {
    const reason = `the last entry is not entry ${head.seq}, which was written last`;
    throw new UnshipError("ledger.corrupt", { seq: last.seq, reason });
  }
  const body = canonicalJson(draft.body ?? null);
  const content = {
    seq: last.seq + 1,
    at: Math.max(now, last.at),
    kind: draft.kind,
    incidentId: draft.incidentId,
    planId: draft.planId,
    actor: draft.actor,
    body: JSON.parse(body) as unknown,
    prev: last.hash,
  };
  const entry: LedgerEntry = { ...content, hash: entryHash(content) };
  await tx.insertInto("entries").values(rowOf(entry, body)).execute();
  await tx
    .insertInto("head")
    .values({ id: 1, seq: entry.seq, hash: entry.hash })
    .onConflict((conflict) => conflict.column("id").doUpdateSet({ seq: entry.seq, hash: entry.hash }))
    .execute();
  await noteHealthyChange(tx, entry);
  return entry;
}

/** A row → an entry. Throws a `SyntaxError` where the body is no JSON. */
export function entryOf(row: EntryRow): LedgerEntry {
  return {
    seq: row.seq,
    at: row.at,
    kind: row.kind,
    incidentId: row.incident_id,
    planId: row.plan_id,
    actor: row.actor,
    body: JSON.parse(row.body) as unknown,
    prev: row.prev,
    hash: row.hash,
  };
}

function rowOf(entry: LedgerEntry, body: string): EntryRow {
  return {
    seq: entry.seq,
    at: entry.at,
    kind: entry.kind,
    incident_id: entry.incidentId,
    plan_id: entry.planId,
    actor: entry.actor,
    body,
    prev: entry.prev,
    hash: entry.hash,
  };
}

/** Keeps the table that the count of consecutive rollbacks reads beside the entry that it stands for. */
async function noteHealthyChange(tx: Transaction<LedgerTables>, entry: LedgerEntry): Promise<void> {
  if (entry.kind !== LEDGER_KINDS.changeHealthy) return;
  const body = entry.body;
  const service = typeof body === "object" && body !== null && "service" in body ? body.service : undefined;
  if (typeof service !== "string" || service === "") {
    throw new UnshipError("input.invalid", { what: `entry ${entry.kind}`, reason: "its body names no service" });
  }
  await tx
    .insertInto("healthy_changes")
    .values({ service, at: entry.at })
    .onConflict((conflict) => conflict.column("service").doUpdateSet({ at: entry.at }))
    .execute();
}
