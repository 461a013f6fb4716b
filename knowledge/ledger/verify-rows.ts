import type { Kysely } from "kysely";
import { escapeControls } from "../../core/model/untrusted-text.ts";
import type { Problem } from "./chain-check.ts";
import { createReplay, type Projected, REPLAYED_KINDS, type Recomputed } from "./replay.ts";
import type { LedgerTables } from "./tables.ts";

/** Entries read at once: bounds memory beside the rows themselves. */
const PAGE = 500;

type Columns = Readonly<Record<string, unknown>>;

/** How the rows of a table are told apart, and how they and what is wrong with them are called. */
interface Description<Column extends string = string> {
  readonly key: readonly Column[];
  readonly name: (row: Columns) => string;
  readonly gone: string;
  readonly added: string;
  readonly changed: string;
}

const PLAIN = { gone: "is gone", added: "is in no entry", changed: "was changed" };
const EITHER = { ...PLAIN, gone: "was changed or is gone", changed: "was changed or is gone" };

const TABLES: { readonly [Table in Projected]: Description<keyof LedgerTables[Table] & string> } = {
  plans: {
    key: ["id"],
    name: ({ id }) => `plan ${id}`,
    gone: "is gone",
    added: "was never proposed",
    changed: "is not as it was proposed",
  },
  approvals: {
    // One person may answer twice; only the end by the machine's clock does not tell answers apart.
    key: ["plan_id", "plan_hash", "answer", "approver", "reason", "at", "expires_at"],
    name: ({ answer, plan_id, approver }) => `the ${answer} of plan ${plan_id} by ${approver}`,
    ...EITHER,
  },
  intents: {
    key: ["plan_id", "position"],
    name: ({ position, plan_id }) => `the reservation of target ${position} of plan ${plan_id}`,
    ...EITHER,
  },
  incidents: {
    key: ["id"],
    name: ({ id }) => `incident ${id}`,
    gone: "is gone",
    added: "was never saved",
    changed: "is not as it was saved",
  },
  permits: { key: ["plan_id"], name: ({ plan_id }) => `the permit of plan ${plan_id}`, ...PLAIN },
  pauses: { key: ["scope"], name: ({ scope }) => `the pause of ${scope}`, ...PLAIN },
  recoveries: { key: ["plan_id"], name: ({ plan_id }) => `the recovery of plan ${plan_id}`, ...PLAIN },
  healthy_changes: { key: ["service"], name: ({ service }) => `the healthy change of ${service}`, ...PLAIN },
};

/** What became of a reserved target; all else in its row is the reservation. */
const RESULT_COLUMNS: readonly string[] = ["attempts", "result", "finished_at", "released"];

/**
 * Plays the entries again from the first, and compares what they amount to with every row and column that unship decides
 * and answers by: incidents, plans, approvals, permits, reservations and their results, pauses, recoveries, healthy changes.
 * Both ways: a row that stands in no entry, an entry whose row is gone, a column that is not what the entries say. `seq`
 * is that of the entry that spoke last of the row, or 0 where none did. The entries are taken as they stand:
 * whether they are whole is the chain's to tell.
 *
 * Out of reach: `lease_until` of an open reservation, which is prolonged without an entry (it says when another process
 * may go on with a plan, never whether it may run), and `wall_expires_at` of an answer that an earlier version wrote down
 * (its `expires_at` is compared); and whoever writes the whole chain anew together with its rows,
 * whom a head that was kept elsewhere shows.
 */
export async function verifyRows(database: Kysely<LedgerTables>): Promise<readonly Problem[]> {
  const found: Problem[] = [];
  const replay = createReplay();
  for (let seq = 0; ; ) {
    const page = await database
      .selectFrom("entries")
      .selectAll()
      .where("kind", "in", REPLAYED_KINDS)
      .where("seq", ">", seq)
      .orderBy("seq")
      .limit(PAGE)
      .execute();
    for (const entry of page) {
      if (!replay.play(entry)) found.push({ seq: entry.seq, reason: "its body is not one that the gate writes" });
    }
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE) break;
    seq = last.seq;
  }
  for (const table of Object.keys(TABLES) as Projected[]) {
    let rows: readonly Columns[];
    try {
      rows = await database.selectFrom(table).selectAll().execute();
    } catch (error) {
      // After this the server answers nothing more in the transaction; a lost connection shows when it ends.
      const why = error instanceof Error ? error.message : "no reason given";
      return [...found, { seq: 0, reason: escapeControls(`the table ${table} cannot be read: ${why}`) }];
    }
    found.push(...tableDifferences(table, [...replay.tables[table].values()], rows));
  }
  return found;
}

/** Compares what a table should hold with what it holds, both ways. */
export const tableDifferences = (
  table: Projected,
  expected: readonly Recomputed<Projected>[],
  rows: readonly Columns[],
): readonly Problem[] => differences(TABLES[table], expected, rows);

function differences(
  { key, ...words }: Description,
  expected: readonly Recomputed<Projected>[],
  rows: readonly Columns[],
): readonly Problem[] {
  const keyOf = (row: Columns): string =>
    JSON.stringify(key.map((column) => [typeof row[column], String(row[column])]));
  const standing = Map.groupBy(rows, keyOf);
  const found: Problem[] = [];
  for (const { seq, row } of expected) {
    const alike = standing.get(keyOf(row)) ?? [];
    const unequal = (one: Columns) => Object.keys(row).filter((column) => !isEqual(row, one, column));
    const which = alike.findIndex((one) => unequal(one).length === 0);
    const [there] = alike.splice(Math.max(0, which), 1);
    if (there === undefined) found.push({ seq, reason: said(words, row, words.gone) });
    else if (which < 0) found.push(...changes(words, row, unequal(there)).map((reason) => ({ seq, reason })));
  }
  const added = [...standing.values()].flat();
  return [...found, ...added.map((row) => ({ seq: 0, reason: said(words, row, words.added) }))];
}

const isEqual = (row: Columns, there: Columns, column: string): boolean =>
  row[column] === undefined || row[column] === there[column];

type Words = Omit<Description, "key">;

const said = ({ name }: Words, row: Columns, what: string): string => escapeControls(`${name(row)} ${what}`);

/** A sentence for what was reserved and one for what became of it; of a body, that it differs says enough. */
function changes(words: Words, row: Columns, columns: readonly string[]): readonly string[] {
  const named = (some: readonly string[]) => (some.includes("body") ? "" : ` (${some.join(", ")})`);
  const isResult = (column: string) => "attempts" in row && RESULT_COLUMNS.includes(column);
  const results = columns.filter(isResult);
  const others = columns.filter((column) => !isResult(column));
  const { position, plan_id } = row;
  return [
    ...(others.length === 0 ? [] : [`${said(words, row, words.changed)}${named(others)}`]),
    ...(results.length === 0
      ? []
      : [escapeControls(`the result of target ${position} of plan ${plan_id} was changed`) + named(results)]),
  ];
}
