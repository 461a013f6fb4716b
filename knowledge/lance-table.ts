import { rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import type { Connection, Table } from "@lancedb/lancedb";
import { exclusively } from "./file-lock.ts";
import type { IncidentRecord } from "./record.ts";

/** One row with the score of the search that found it. */
export type Scored = IncidentRecord & { readonly _score: number };

/** Rows written since the last compaction before the next one: LanceDB makes a fragment of each write. */
const COMPACT_EVERY = 32;

/**
 * So many hits are read before they are sorted here. Rows that are not in the index yet come unsorted and count
 * against the limit in the order of storage (seen with 0.31.0), so it must exceed what several processes leave
 * uncompacted.
 */
const READ = 256;

/** The table of incident records: everything that knows LanceDB's API. Loaded only when a memory is really used. */
export interface LanceTable {
  write(records: readonly IncidentRecord[]): Promise<void>;
  /** Best first. `column`: "text" or "features"; any word may match. */
  search(column: "text" | "features", query: string): Promise<readonly Scored[]>;
  list(limit: number): Promise<readonly IncidentRecord[]>;
  remove(id: string): Promise<void>;
  replaceAll(records: readonly IncidentRecord[]): Promise<void>;
  close(): Promise<void>;
}

/**
 * Whoever makes the table, its indexes, or both anew does so alone: LanceDB's creation is not exclusive (with 0.31.0,
 * of four openings at once in a loop, one in thirteen failed, and one can overwrite what another has just written).
 */
const alone = <T>(path: string, name: string, work: () => Promise<T>) =>
  exclusively(join(path, `${name}.lock`), MAKING_TIMEOUT, work);

/** In milliseconds. Making a table and its indexes takes well under a second, more on a machine without free CPU. */
const MAKING_TIMEOUT = 120_000;

/** Opens `name` under `path`, making it where it does not exist. Throws whatever LanceDB throws. */
export async function openLanceTable(path: string, name: string): Promise<LanceTable> {
  const lance = await import("@lancedb/lancedb");
  const { Field, Float64, Schema, Utf8 } = await import("apache-arrow");
  const text = (column: string) => new Field(column, new Utf8(), false);
  const columns = ["id", "outcome", "summary", "text", "features", "details"].map(text);
  const schema = new Schema([...columns, new Field("at", new Float64(), false)]);
  // Interval 0: a handle sees what another process wrote.
  const db: Connection = await lance.connect(path, { readConsistencyInterval: 0 });
  const words = { baseTokenizer: "whitespace", stem: false, removeStopWords: false, maxTokenLength: 160 } as const;
  // Made for each use: LanceDB takes an index's description once.
  const wanted = {
    text: () => lance.Index.fts({ stem: true, removeStopWords: true }),
    features: () => lance.Index.fts(words),
  };
  let table = (await opened()) ?? (await alone(path, name, made));
  let uncompacted = 0;

  /** The table, where it is there and whole; null where it must be made first, or cannot be read. */
  async function opened(): Promise<Table | null> {
    try {
      const there = await db.openTable(name);
      return (await missingIndexes(there)).length === 0 ? there : null;
    } catch {
      return null; // if it is damaged, making it says so
    }
  }

  async function made(): Promise<Table> {
    return withIndexes(await db.createEmptyTable(name, schema, { mode: "create", existOk: true }));
  }

  async function missingIndexes(of: Table): Promise<(keyof typeof wanted)[]> {
    const there = new Set((await of.listIndices()).flatMap(({ columns: indexed }) => indexed));
    return (["text", "features"] as const).filter((column) => !there.has(column));
  }

  /** A process may have died between making the table and its indexes; others may be writing rows meanwhile. */
  async function withIndexes(bare: Table): Promise<Table> {
    for (const column of await missingIndexes(bare)) {
      await retried(() => bare.createIndex(column, { config: wanted[column]() }));
    }
    return bare;
  }

  async function write(records: readonly IncidentRecord[]): Promise<void> {
    if (records.length === 0) return;
    const rows = records.map((record) => ({ ...record }));
    await retried(() => table.mergeInsert("id").whenMatchedUpdateAll().whenNotMatchedInsertAll().execute(rows));
    uncompacted += records.length;
    if (uncompacted < COMPACT_EVERY) return;
    uncompacted = 0;
    await retried(() => table.optimize());
  }

  return {
    write,
    async search(column, query) {
      const match = new lance.MatchQuery(query, column);
      const rows: unknown[] = await table.query().fullTextSearch(match).limit(READ).toArray();
      return rows
        .map((row) => plain<Scored>(row))
        .sort((a, b) => b._score - a._score || b.at - a.at || (a.id < b.id ? -1 : 1));
    },
    async list(limit) {
      const rows: unknown[] = await table
        .query()
        .orderBy({ columnName: "at", ascending: false })
        .limit(limit)
        .toArray();
      return rows.map((row) => plain<IncidentRecord>(row));
    },
    async remove(id) {
      await retried(() => table.delete(`id = '${id.replaceAll("'", "''")}'`));
    },
    async replaceAll(records) {
      table.close();
      table = await alone(path, name, async () =>
        withIndexes(await db.createEmptyTable(name, schema, { mode: "overwrite" })),
      );
      for (let from = 0; from < records.length; from += 1_000) await write(records.slice(from, from + 1_000));
      await retried(() => table.optimize());
    },
    async close() {
      table.close();
      db.close();
    },
  };
}

/** Tries of a write that others keep preempting; each waits longer, so that several do not keep step. */
const TRIES = 12;

/** LanceDB's writes are optimistic; it retries most conflicts itself and reports the others as retryable. */
async function retried<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      const conflict = error instanceof Error && /commit conflict/i.test(error.message);
      if (!conflict || attempt >= TRIES) throw error;
      await setTimeout(attempt * 7);
    }
  }
}

/** Throws the table away, whatever state it is in: it is an index, and the ledger can make it again. */
export async function discardLanceTable(path: string, name: string): Promise<void> {
  await alone(path, name, () => rm(join(path, `${name}.lance`), { recursive: true, force: true }));
}

/** Arrow's row proxies → plain objects, so that nothing of Arrow leaves this file. */
function plain<T extends IncidentRecord>(row: unknown): T {
  return { ...(row as T) };
}
