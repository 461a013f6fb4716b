import type { Kysely, Transaction } from "kysely";
import { UnshipError } from "../../core/errors.ts";
import { canonicalJson } from "../../core/guardrails/canonical-json.ts";
import type { Plan } from "../../core/model/plan.ts";
import { together } from "./batch.ts";
import { createChainCheck, type Problem } from "./chain-check.ts";
import { type EndKey, whyUnsigned } from "./head-signature.ts";
import { createReplay, type Projected } from "./replay.ts";
import { type SchemaReader, schemaDifferences } from "./schema.ts";
import type { EntryRow, LedgerTables } from "./tables.ts";
import { beforeTheFirst, endComplaints, entriesAfter, foundRow, PAGE } from "./verify.ts";
import { tableDifferences } from "./verify-rows.ts";

export interface Trust {
  /** Takes in what was written since, outside any transaction. */
  readAhead(database: Kysely<LedgerTables>): Promise<void>;
  /** See `GateTransaction.trust`. */
  check(tx: Transaction<LedgerTables>, plan: Plan): Promise<void>;
}

/** What a verdict on a plan is read from. Of plans only those that it reads: this one, and those that people answered. */
const READ_WHOLE = ["permits", "intents", "approvals", "pauses", "recoveries", "healthy_changes"] as const;

/**
 * What one process knows of the ledger by its own reading: the chain from the first entry as far as it came, and what the
 * tables must hold by it. Entries are read once; an entry that is changed later changes nothing that is known here. An end
 * that lies before one that this process has seen was cut off. `key`: null, nobody signs this ledger's end.
 */
export function createTrust(schema: SchemaReader, key: () => EndKey | null): Trust {
  const walk = createChainCheck();
  const replay = createReplay();
  const unreadable: Problem[] = [];

  /** Of a page that somebody else took in meanwhile, what is new. */
  function take(rows: readonly EntryRow[]): void {
    for (const row of rows) {
      if (row.seq <= walk.last().seq) continue;
      walk.add(foundRow(row));
      if (!replay.play(row)) unreadable.push({ seq: row.seq, reason: "its body is not one that the gate writes" });
    }
    // No verdict on a plan is read from the rows of incidents, and they are many.
    replay.tables.incidents.clear();
  }

  async function takeRest(database: Kysely<LedgerTables>): Promise<void> {
    for (;;) {
      const rows = await entriesAfter(database, walk.last().seq).execute();
      take(rows);
      if (rows.length < PAGE) return;
    }
  }

  return {
    readAhead: takeRest,
    async check(tx, plan) {
      const expected = await schema.expected();
      await takeRest(tx);
      const { seq } = walk.last();
      const answered = tx.selectFrom("approvals").select("plan_id");
      const plans = tx
        .selectFrom("plans")
        .selectAll()
        .where((where) => where.or([where("id", "=", plan.id), where("id", "in", answered)]));
      const [parts, [hidden], [last], [head], planRows, ...tables] = await together(tx, (ask) =>
        Promise.all([
          schema.found(ask),
          ask(beforeTheFirst(tx).compile()),
          ask(tx.selectFrom("entries").select(["seq", "hash"]).orderBy("seq", "desc").limit(1).compile()),
          ask(tx.selectFrom("head").selectAll().compile()),
          ask(plans.compile()),
          ...READ_WHOLE.map((table) => ask(tx.selectFrom(table).selectAll().compile())),
        ]),
      );
      const found: Problem[] = [];
      const say = (problem: Problem) => found.push(problem);
      for (const reason of schemaDifferences(expected, parts)) say({ seq, reason });
      if (hidden !== undefined) say({ seq: hidden.seq, reason: "was added: entries are numbered from 1" });
      [...walk.problems(), ...unreadable].map(say);
      if ((last?.seq ?? 0) !== seq || (last !== undefined && last.hash !== walk.last().hash)) {
        say({
          seq,
          reason: "was read here before, and is not the last one any more: the end was cut off or written anew",
        });
      }
      endComplaints(walk.last(), head).map(say);
      const unsigned = head === undefined ? null : whyUnsigned(head, key());
      if (unsigned !== null) say({ seq, reason: unsigned });
      READ_WHOLE.map((table, index) => compared(table, tables[index] ?? []).map(say));
      const read = new Set([plan.id, ...[...replay.tables.approvals.values()].map(({ row }) => row.plan_id)]);
      const wanted = [...replay.tables.plans.values()].filter(({ row }) => read.has(row.id));
      tableDifferences("plans", wanted, planRows).map(say);
      // The caller may have read it before this transaction, from a row that was put back meanwhile.
      if (replay.tables.plans.get(plan.id)?.row.body !== canonicalJson(plan)) {
        say({ seq, reason: `plan ${plan.id} is not as it was proposed` });
      }
      const [first] = found;
      if (first === undefined) return;
      throw new UnshipError("ledger.corrupt", { what: `entry ${first.seq}`, reason: first.reason });
    },
  };

  function compared(table: Projected, rows: readonly Readonly<Record<string, unknown>>[]): readonly Problem[] {
    return tableDifferences(table, [...replay.tables[table].values()], rows);
  }
}
