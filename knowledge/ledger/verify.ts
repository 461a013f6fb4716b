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
const PAGE = 500;

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
  for (;;) {
    const rows = await pageAfter(database, check.last().seq);
    for (const row of rows) check.add(found(row));
    if (rows.length === PAGE) continue;
    const head = await database.selectFrom("head").select(["seq", "hash"]).executeTakeFirst();
    const last = check.last();
    // Read after the entries, the head is never older than they are; if it is newer, there is more to read.
    if (head !== undefined && head.seq > last.seq && (await pageAfter(database, last.seq)).length > 0) continue;
    const problems = [...check.problems(), ...endComplaints(last, head)];
    return { ok: problems.length === 0, entries: check.entries(), head: last.hash, problems };
  }
}

const pageAfter = (database: Kysely<LedgerTables>, seq: number): Promise<EntryRow[]> =>
  database.selectFrom("entries").selectAll().where("seq", ">", seq).orderBy("seq").limit(PAGE).execute();

function found(row: EntryRow): FoundEntry {
  try {
    return foundEntry(entryOf(row), row.body);
  } catch {
    return { ...row, own: "changed: its body cannot be read" };
  }
}

function endComplaints(last: LedgerHead, head: LedgerHead | undefined): Problem[] {
  if (head === undefined) {
    return last.seq === 0 ? [] : [{ seq: last.seq + 1, reason: "the record of the last entry is gone" }];
  }
  if (head.seq > last.seq) return [{ seq: last.seq + 1, reason: `missing: ${gap(last.seq + 1, head.seq)}` }];
  if (head.seq === last.seq && head.hash === last.hash) return [];
  return [{ seq: last.seq, reason: `is not the entry that was written last (entry ${head.seq})` }];
}
