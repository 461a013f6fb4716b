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
 * After an entry that does not fit it goes on from what stands there, so that one change gives one complaint.
 */
export async function verifyChain(database: Kysely<LedgerTables>): Promise<Verification> {
  const problems: { seq: number; reason: string }[] = [];
  let last: Pick<EntryRow, "seq" | "at" | "hash"> = { seq: 0, at: 0, hash: GENESIS };
  let entries = 0;
  for (;;) {
    const rows = await database
      .selectFrom("entries")
      .selectAll()
      .where("seq", ">", last.seq)
      .orderBy("seq")
      .limit(PAGE)
      .execute();
    for (const row of rows) {
      problems.push(...complaints(row, last).map((reason) => ({ seq: row.seq, reason })));
      last = row;
      entries += 1;
    }
    if (rows.length < PAGE) break;
  }
  const head = await database.selectFrom("head").select(["seq", "hash"]).executeTakeFirst();
  if (head === undefined ? entries > 0 : head.seq > last.seq) {
    const seq = last.seq + 1;
    const reason = head === undefined ? "the record of the last entry is gone" : `missing: ${gap(seq, head.seq)}`;
    problems.push({ seq, reason });
  } else if (head !== undefined && (head.seq !== last.seq || head.hash !== last.hash)) {
    problems.push({ seq: last.seq, reason: `is not the entry that was written last (entry ${head.seq})` });
  }
  return { ok: problems.length === 0, entries, head: last.hash, problems };
}

function complaints(row: EntryRow, last: Pick<EntryRow, "seq" | "at" | "hash">): readonly string[] {
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
