import fc from "fast-check";
import { canonicalJson } from "../../../core/guardrails/canonical-json.ts";
import type { Plan } from "../../../core/model/plan.ts";
import type { LedgerEntry } from "../../../core/ports.ts";
import { entryHash } from "../../../knowledge/ledger/chain.ts";
import type { LedgerPlace } from "../../knowledge/ledger/ledger-stores.ts";
import { literal, type Row, TABLES as TABLES_BUT_THE_CHAIN } from "./edited-life.ts";

/** The tables of a ledger and their columns, the chain's own and what the watch says of itself included. */
export const COLUMNS = {
  entries: ["seq", "at", "kind", "incident_id", "plan_id", "actor", "body", "prev", "hash"],
  head: ["id", "seq", "hash", "signature"],
  ...TABLES_BUT_THE_CHAIN,
  evaluations: ["id", "at", "body"],
} as const;
type Table = keyof typeof COLUMNS;
const TABLES = Object.keys(COLUMNS) as Table[];

export type Rows = Readonly<Record<Table, readonly Row[]>>;

export async function rowsOf(place: LedgerPlace): Promise<Rows> {
  const read = TABLES.map(async (name) => {
    const rows = await place.read(`select * from ${name}${name === "entries" ? " order by seq" : ""}`);
    return [name, rows] as const;
  });
  return Object.fromEntries(await Promise.all(read)) as Rows;
}

const insert = (table: Table, row: Row): string =>
  `insert into ${table} (${COLUMNS[table].join(", ")}) values (${COLUMNS[table].map((name) => literal(row[name])).join(", ")})`;

/** Puts the rows of one ledger into another, empty one. */
export const filled = (rows: Rows): string =>
  TABLES.flatMap((name) => rows[name].map((row) => insert(name, row))).join(";");

/** What somebody who can write the store, and knows how it is written, does to it: statements, by what is there. */
export interface Edit {
  readonly name: string;
  readonly sql: (rows: Rows, plan: Plan) => string;
}

const INDEXES = [
  ...["intents_one_open_a_target", "intents_used", "intents_finished", "intents_service", "intents_target"],
  ...["approvals_plan", "entries_kind_time", "entries_plan", "incidents_open", "incidents_saved"],
];

const dropped: fc.Arbitrary<Edit> = fc
  .constantFrom(...INDEXES)
  .map((index) => ({ name: `drop ${index}`, sql: () => `drop index if exists ${index}` }));

/** Columns of other tables with defaults, constraints that go, triggers: spelled for each store by `store`. */
const remade = (store: LedgerPlace["store"]): fc.Arbitrary<Edit> =>
  fc.constantFrom<Edit[]>(
    ...(store === "sqlite"
      ? [
          "drop trigger if exists entries_never_change",
          "drop trigger if exists entries_never_go",
          "create trigger if not exists free after insert on intents begin update intents set released = 1; end",
          "create trigger if not exists mute after insert on pauses begin delete from pauses; end",
          "create table if not exists more (a text)",
          "create view if not exists shadow as select * from approvals",
        ]
      : [
          "drop trigger if exists entries_never_change on entries",
          "alter table entries disable trigger entries_never_change",
          "create or replace rule mute as on insert to pauses do instead nothing",
          "alter table permits drop constraint if exists permits_pkey",
          "alter table intents alter column automatic set default 0",
          "create or replace function entries_are_append_only() returns trigger language plpgsql as $$ begin return new; end $$",
          "alter table pauses enable row level security",
        ]
    ).map((sql) => ({ name: sql.slice(0, 40), sql: () => sql })),
  );

/** One cell, or a row that goes, or one more that differs in one cell. */
const cell: fc.Arbitrary<Edit> = fc
  .record({
    how: fc.constantFrom("update", "update", "delete", "insert"),
    table: fc.constantFrom(...TABLES),
    row: fc.nat(),
    column: fc.nat(),
    value: fc.oneof(
      fc.constantFrom<((value: unknown) => unknown)[]>(
        (value) => (/^-?\d+$/.test(String(value)) ? Number(value) + 1 : `${value}x`),
        (value) => (/^-?\d+$/.test(String(value)) ? -Number(value) : ""),
        (value) => String(value).replace(/closed|detected|verifying|done|approve|reject/, "approve"),
        () => null,
        () => 0,
      ),
      fc.nat().map((n) => (_: unknown, others: readonly unknown[]) => others[n % Math.max(1, others.length)]),
    ),
  })
  .map(({ how, table, row, column, value }) => ({
    name: `${how} ${table}`,
    sql(rows: Rows) {
      const known = rows[table][row % Math.max(1, rows[table].length)];
      const name = COLUMNS[table][column % COLUMNS[table].length];
      if (known === undefined || name === undefined) return "";
      const others = rows[table].map((one) => one[name]);
      const changed = { ...known, [name]: value(known[name], others) };
      const where = COLUMNS[table]
        .map((one) => (known[one] == null ? `${one} is null` : `${one} = ${literal(known[one])}`))
        .join(" and ");
      if (how === "delete") return `delete from ${table} where ${where}`;
      if (how === "insert") return insert(table, changed);
      return `update ${table} set ${name} = ${literal(changed[name])} where ${where}`;
    },
  }));

function entriesOf(rows: Rows): readonly LedgerEntry[] {
  return rows.entries.map((row) => ({
    seq: Number(row.seq),
    at: Number(row.at),
    kind: String(row.kind),
    incidentId: row.incident_id == null ? null : String(row.incident_id),
    planId: row.plan_id == null ? null : String(row.plan_id),
    actor: String(row.actor),
    body: JSON.parse(String(row.body)) as unknown,
    prev: String(row.prev),
    hash: String(row.hash),
  }));
}

const rowOf = (entry: LedgerEntry): Row => ({
  ...{ seq: entry.seq, at: entry.at, kind: entry.kind, incident_id: entry.incidentId, plan_id: entry.planId },
  ...{ actor: entry.actor, body: canonicalJson(entry.body), prev: entry.prev, hash: entry.hash },
});

type Draft = Pick<LedgerEntry, "kind" | "planId" | "actor" | "body"> & { readonly rows: string };

/** What whoever wants a plan to run, or a limit to be gone, would write: the entry, and the rows that go with it. */
function forged(plan: Plan, rows: Rows, at: number): Readonly<Record<string, Draft>> {
  const expiresAt = plan.expiresAt;
  const answer = { planHash: plan.hash, expiresAt, wallExpiresAt: expiresAt, reason: "", via: "desk" };
  const approval = (proof: string | null) => ({
    ...{ plan_id: plan.id, plan_hash: plan.hash, answer: "approve", approver: "alice", reason: "", at },
    ...{ expires_at: expiresAt, wall_expires_at: expiresAt, proof },
  });
  const stolen = String(rows.approvals.find((row) => row.proof != null)?.proof ?? "");
  const about = { planId: plan.id, actor: "alice" };
  return {
    "an approval": {
      ...about,
      kind: "approval.given",
      body: answer,
      rows: insert("approvals", approval(null)),
    },
    "an approval with the proof of another": {
      ...about,
      kind: "approval.given",
      body: { ...answer, proof: stolen },
      rows: insert("approvals", approval(stolen)),
    },
    "a resume": {
      ...{ kind: "gate.resumed", planId: null, actor: "alice", body: { scope: "checkout" } },
      rows: "delete from pauses where scope = 'checkout'",
    },
    "a healthy change": {
      ...{ kind: "change.healthy", planId: null, actor: "watch" },
      body: { service: "checkout", changeId: "x", kind: "deploy" },
      rows: `update healthy_changes set at = ${at} where service = 'checkout'`,
    },
    "a unit given back": {
      ...{ kind: "target.finished", planId: "id-1", actor: "gate" },
      body: { position: 0, key: "id-1:0", result: { result: "stale" }, released: true },
      rows: `update intents set released = 1, finished_at = ${at}, result = '{"result":"stale"}' where plan_id = 'id-1'`,
    },
  };
}
const FORGED = [
  "an approval",
  "an approval with the proof of another",
  "a resume",
  "a healthy change",
  "a unit given back",
];

/** Appended with all hashes right, the record of the end and the tables in step; only the signature is beyond them. */
const appended: fc.Arbitrary<Edit> = fc.constantFrom(...FORGED).map((what) => ({
  name: `append ${what}`,
  sql(rows: Rows, plan: Plan) {
    const last = entriesOf(rows).at(-1);
    if (last === undefined) return "";
    const { rows: others, ...draft } = forged(plan, rows, last.at)[what] as Draft;
    const content = { ...draft, seq: last.seq + 1, at: last.at, incidentId: plan.incidentId, prev: last.hash };
    const entry = { ...content, hash: entryHash(content) };
    return [insert("entries", rowOf(entry)), `update head set seq = ${entry.seq}, hash = '${entry.hash}'`, others].join(
      ";",
    );
  },
}));

/** The same entry before the first one, where a walk from entry 1 does not come by; with hashes of whatever kind. */
const hidden: fc.Arbitrary<Edit> = fc
  .record({ what: fc.constantFrom(...FORGED), seq: fc.integer({ min: -9, max: 0 }), withRows: fc.boolean() })
  .map(({ what, seq, withRows }) => ({
    name: `hide ${what}`,
    sql(rows: Rows, plan: Plan) {
      const at = entriesOf(rows).at(-1)?.at ?? 0;
      const { rows: others, ...draft } = forged(plan, rows, at)[what] as Draft;
      const entry = { ...draft, seq, at, incidentId: plan.incidentId, prev: "garbage", hash: "garbage" };
      return [insert("entries", rowOf(entry)), ...(withRows ? [others] : [])].join(";");
    },
  }));

/** The rows of a forgery alone. */
const rowsAlone: fc.Arbitrary<Edit> = fc.constantFrom(...FORGED).map((what) => ({
  name: `rows of ${what}`,
  sql: (rows: Rows, plan: Plan) => (forged(plan, rows, entriesOf(rows).at(-1)?.at ?? 0)[what] as Draft).rows,
}));

/** An entry whose actor or kind is another, or that is gone, with all hashes after it made anew and the end in step. */
const rewritten: fc.Arbitrary<Edit> = fc
  .record({ from: fc.nat(), how: fc.constantFrom("actor", "kind", "gone", "cut") })
  .map(({ from, how }) => ({
    name: `rewrite: ${how}`,
    sql(rows: Rows) {
      const entries = entriesOf(rows);
      const at = from % Math.max(1, entries.length);
      const kept = entries.filter((_, index) => (how === "cut" ? index < at : how === "gone" ? index !== at : true));
      let prev = kept[at - 1]?.hash ?? "0".repeat(64);
      const anew = kept.slice(at).map((entry, index) => {
        const { hash: _, ...content } = entry;
        const other = index > 0 ? {} : how === "actor" ? { actor: "mallory" } : how === "kind" ? { kind: "note" } : {};
        const changed = { ...content, ...other, seq: at + index + 1, prev };
        prev = entryHash(changed);
        return { ...changed, hash: prev };
      });
      const end = anew.at(-1) ?? kept.at(-1) ?? { seq: 0, hash: prev };
      return [
        `delete from entries where seq > ${at}`,
        ...anew.map((entry) => insert("entries", rowOf(entry))),
        `update head set seq = ${end.seq}, hash = '${end.hash}'`,
      ].join(";");
    },
  }));

/** Any edit of an outside writer. */
export const editOf = (store: LedgerPlace["store"]): fc.Arbitrary<Edit> =>
  fc.oneof({ weight: 3, arbitrary: cell }, dropped, remade(store), appended, hidden, rowsAlone, rewritten);
