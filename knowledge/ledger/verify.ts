import type { Kysely } from "kysely";
import { canonicalJson } from "../../core/guardrails/canonical-json.ts";
import { entryHash, entryOf, GENESIS } from "./chain.ts";
import type { EntryRow, LedgerTables } from "./tables.ts";

export interface Verification {
  readonly ok: boolean;
  readonly entries: number;
  /** Hash of the last entry: whoever keeps it elsewhere can tell later that nothing before it was replaced. */
  readonly head: string;
  readonly problems: readonly { readonly seq: number; readonly reason: string }[];
}

/** Entries read at once: bounds memory, whatever the ledger's length. */
const PAGE = 500;

/**
 * Recomputes every hash from the first entry, and names each entry that was changed, removed, moved or cut off.
 * After an entry that does not fit it goes on from what stands there, so that one change gives one complaint. Others
 * may append meanwhile: what they add is checked too.
 */
export async function verifyChain(database: Kysely<LedgerTables>): Promise<Verification> {
  const problems: Problem[] = [];
  let last: End = { seq: 0, at: 0, hash: GENESIS };
  let entries = 0;
  for (;;) {
    const rows = await pageAfter(database, last.seq);
    for (const row of rows) {
      problems.push(...complaints(row, last).map((reason) => ({ seq: row.seq, reason })));
      last = row;
      entries += 1;
    }
    if (rows.length === PAGE) continue;
    const head = await database.selectFrom("head").select(["seq", "hash"]).executeTakeFirst();
    // Read after the entries, the head is never older than they are; if it is newer, there is more to read.
    if (head !== undefined && head.seq > last.seq && (await pageAfter(database, last.seq)).length > 0) continue;
    problems.push(...endComplaints(last, head));
    return { ok: problems.length === 0, entries, head: last.hash, problems };
  }
}

interface Problem {
  readonly seq: number;
  readonly reason: string;
}
type End = Pick<EntryRow, "seq" | "at" | "hash">;

const pageAfter = (database: Kysely<LedgerTables>, seq: number): Promise<EntryRow[]> =>
  database.selectFrom("entries").selectAll().where("seq", ">", seq).orderBy("seq").limit(PAGE).execute();

function endComplaints(last: End, head: { readonly seq: number; readonly hash: string } | undefined): Problem[] {
  if (head === undefined) {
    return last.seq === 0 ? [] : [{ seq: last.seq + 1, reason: "the record of the last entry is gone" }];
  }
  if (head.seq > last.seq) return [{ seq: last.seq + 1, reason: `missing: ${gap(last.seq + 1, head.seq)}` }];
  if (head.seq === last.seq && head.hash === last.hash) return [];
  return [{ seq: last.seq, reason: `is not the entry that was written last (entry ${head.seq})` }];
}

function complaints(row: EntryRow, last: End): readonly string[] {
  if (row.seq !== last.seq + 1) {
    return [`missing before it: ${gap(last.seq + 1, row.seq - 1)}`, ...ownComplaints(row)];
  }
  const found = [...ownComplaints(row)];
  if (row.prev !== last.hash) found.push(`does not follow entry ${last.seq} as it stands now`);
  if (found.length === 0 && row.at < last.at) found.push(`is earlier than entry ${last.seq}`);
  return found;
}

function ownComplaints(row: EntryRow): readonly string[] {
  try {
    const { hash, ...content } = entryOf(row);
    if (canonicalJson(content.body) !== row.body) return ["changed: its body is not spelled as it was written"];
    return entryHash(content) === hash ? [] : ["changed: its content no longer fits its hash"];
  } catch {
    return ["changed: its body cannot be read"];
  }
}

const gap = (from: number, to: number): string => (from === to ? `entry ${from}` : `entries ${from} to ${to}`);
