import { createHash } from "node:crypto";
import type { Kysely, Transaction } from "kysely";
import { UnshipError } from "../../core/errors.ts";
import { canonicalJson, Spelled } from "../../core/guardrails/canonical-json.ts";
import { LEDGER_KINDS } from "../../core/guardrails/gate-store.ts";
import type { LedgerDraft, LedgerEntry, LedgerHead } from "../../core/ports.ts";
import { type Ask, later, together } from "./batch.ts";
import { type EndKey, whyUnsigned } from "./head-signature.ts";
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

/** The end of the chain inside one transaction, which nobody else can move meanwhile. */
export interface Chain {
  /** The store's time: the clock's, but never before the last entry (S2). */
  readonly now: number;
  append(draft: LedgerDraft): Promise<LedgerEntry>;
  /** Writes down which entry is the last one now. Whoever appended calls it before the commit. */
  close(): Promise<void>;
}

export type ChainEnd = ReturnType<typeof chainEnd>;

/** What every transaction asks first: put into words once, since that takes longer than to answer it. */
export const chainEnd = (database: Kysely<LedgerTables>) => ({
  lastEntry: database.selectFrom("entries").select(["seq", "at", "hash"]).orderBy("seq", "desc").limit(1).compile(),
  writtenLast: database.selectFrom("head").select(["seq", "hash", "signature"]).compile(),
});

/**
 * Reads the end of the chain, and adds to it. `append` throws `ledger.corrupt` where that end is not the one that was
 * written last, or not the one that `key` signed: nothing may be decided, let alone done, on a ledger that someone shortened
 * or added to. `key`: signs the new end; absent: nobody does.
 */
export async function openChain(
  tx: Transaction<LedgerTables>,
  storeTime: (ask: Ask) => Promise<number>,
  { lastEntry, writtenLast }: ChainEnd,
  key: () => EndKey | null = () => null,
): Promise<Chain> {
  const [clockNow, [found], [head]] = await together(tx, (ask) =>
    Promise.all([storeTime(ask), ask(lastEntry), ask(writtenLast)]),
  );
  const now = Math.max(clockNow, found?.at ?? 0);
  const first: LedgerHead = found ?? { seq: 0, hash: GENESIS };
  let last = first;
  return {
    now,
    async append(draft) {
      if (last === first) {
        refuseShortened(first, head);
        refuseUnsigned(head, key());
      }
      const body = canonicalJson(draft.body ?? null);
      const content = {
        seq: last.seq + 1,
        at: now,
        kind: storable(draft.kind),
        incidentId: draft.incidentId === null ? null : storable(draft.incidentId),
        planId: draft.planId === null ? null : storable(draft.planId),
        actor: storable(draft.actor),
        body: JSON.parse(body) as unknown,
        prev: last.hash,
      };
      const entry: LedgerEntry = { ...content, hash: entryHash({ ...content, body: new Spelled(body) }) };
      await later(tx, tx.insertInto("entries").values(rowOf(entry, body)));
      await noteHealthyChange(tx, entry);
      last = entry;
      return entry;
    },
    async close() {
      if (last === first) return;
      const { seq, hash } = last;
      const end = { seq, hash, signature: key()?.sign({ seq, hash }) ?? null };
      const write = tx.insertInto("head").values({ id: 1, ...end });
      await later(
        tx,
        write.onConflict((conflict) => conflict.column("id").doUpdateSet(end)),
      );
    },
  };
}

/**
 * A text as every store gives it back: half a surrogate pair and NUL become U+FFFD. Without this the hash would be that
 * of a text which no store holds, and a caller could make the chain look broken by a name that it sends.
 */
export const storable = (text: string): string => text.toWellFormed().replaceAll("\0", "\uFFFD");

function refuseShortened(last: LedgerHead, head: LedgerHead | undefined): void {
  if (head === undefined ? last.seq === 0 : head.seq === last.seq && head.hash === last.hash) return;
  const reason = `the last entry is not entry ${head?.seq ?? "?"}, which was written last`;
  throw new UnshipError("ledger.corrupt", { what: `entry ${last.seq}`, reason });
}

function refuseUnsigned(
  head: (LedgerHead & { readonly signature: string | null }) | undefined,
  key: EndKey | null,
): void {
  const reason = head === undefined ? null : whyUnsigned(head, key);
  if (reason !== null)
    throw new UnshipError("ledger.corrupt", { what: `end (entry ${head?.seq})`, reason: `it ${reason}` });
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

/** The same for whoever only reads: throws `ledger.corrupt` naming the entry where the body is no JSON. */
export function wholeEntryOf(row: EntryRow): LedgerEntry {
  try {
    return entryOf(row);
  } catch (cause) {
    const reason = "its body cannot be read";
    throw new UnshipError("ledger.corrupt", { what: `entry ${row.seq}`, reason }, { cause });
  }
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
  const write = tx.insertInto("healthy_changes").values({ service, at: entry.at });
  await later(
    tx,
    write.onConflict((conflict) => conflict.column("service").doUpdateSet({ at: entry.at })),
  );
}
