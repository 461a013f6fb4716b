import type { Kysely } from "kysely";
import type { LedgerHead } from "../../core/ports.ts";
import { entryOf } from "./chain.ts";
import { createChainCheck, type FoundEntry, foundEntry, gap, type Problem } from "./chain-check.ts";
import type { EntryRow, LedgerTables } from "./tables.ts";

export interface Verification {
  readonly ok: boolean;
  readonly entries: number;
  /** Hash of the last entry: whoever keeps it elsewhere can tell later that nothing before it was replaced. */
  readonly head: string;
  readonly problems: readonly Problem[];
}

/** Entries read at once: bounds memory, whatever the ledger's length. */
export const PAGE = 500;

/**
 * Recomputes every hash from the first entry, and names each entry that was changed, removed, moved or cut off, by the
 * ledger's own record of its end and by `heads`, which stand outside it. Others may append meanwhile: what they add is
 * checked too.
 */
export async function verifyChain(
  database: Kysely<LedgerTables>,
  heads: readonly LedgerHead[] = [],
): Promise<Verification> {
  const check = createChainCheck(heads);
  for (const row of await beforeTheFirst(database).execute()) check.add(foundRow(row));
  for (;;) {
    const rows = await pageAfter(database, Math.max(0, check.last().seq));
    for (const row of rows) check.add(foundRow(row));
    if (rows.length === PAGE) continue;
    const head = await database.selectFrom("head").select(["seq", "hash"]).executeTakeFirst();
    const last = check.last();
    // Read after the entries, the head is never older than they are; if it is newer, there is more to read.
    if (head !== undefined && head.seq > last.seq && (await pageAfter(database, last.seq)).length > 0) continue;
    const problems = [...check.problems(), ...endComplaints(last, head)];
    return { ok: problems.length === 0, entries: check.entries(), head: last.hash, problems };
  }
}

/** The next page of entries, the oldest first; one that is not full is the last. */
export const entriesAfter = (database: Kysely<LedgerTables>, seq: number) =>
  database.selectFrom("entries").selectAll().where("seq", ">", seq).orderBy("seq").limit(PAGE);

const pageAfter = (database: Kysely<LedgerTables>, seq: number): Promise<EntryRow[]> =>
  entriesAfter(database, seq).execute();

/** Entries are numbered from 1: whoever adds one below that hides it from a walk that begins there. */
export const beforeTheFirst = (database: Kysely<LedgerTables>) =>
  database.selectFrom("entries").selectAll().where("seq", "<", 1).orderBy("seq").limit(PAGE);

/** Judges an entry by itself, also one whose body is no JSON. */
export function foundRow(row: EntryRow): FoundEntry {
  try {
    return foundEntry(entryOf(row), row.body);
  } catch {
    return { ...row, own: "changed: its body cannot be read" };
  }
}

/** What the ledger's own record of its end says against the last entry found. */
export function endComplaints(last: LedgerHead, head: LedgerHead | undefined): Problem[] {
  if (head === undefined) {
    return last.seq === 0 ? [] : [{ seq: last.seq + 1, reason: "the record of the last entry is gone" }];
  }
  if (head.seq > last.seq) return [{ seq: last.seq + 1, reason: `missing: ${gap(last.seq + 1, head.seq)}` }];
  if (head.seq === last.seq && head.hash === last.hash) return [];
  return [{ seq: last.seq, reason: `is not the entry that was written last (entry ${head.seq})` }];
}
