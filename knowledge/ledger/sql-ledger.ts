import { CompiledQuery, type Kysely, type Transaction } from "kysely";
import { UnshipError } from "../../core/errors.ts";
import { canonicalJson, Spelled } from "../../core/guardrails/canonical-json.ts";
import { type GateStore, LEDGER_KINDS } from "../../core/guardrails/gate-store.ts";
import { Incident } from "../../core/model/incident.ts";
import { LastEvaluation } from "../../core/model/last-evaluation.ts";
import { escapeControls } from "../../core/model/untrusted-text.ts";
import type { Clock, Ledger, LedgerHead } from "../../core/ports.ts";
import { type Ask, later } from "./batch.ts";
import { type Chain, chainEnd, GENESIS, openChain, wholeEntryOf } from "./chain.ts";
import type { Problem } from "./chain-check.ts";
import { type Failures, unavailable } from "./failures.ts";
import { gateTransaction, openIntents } from "./gate-transaction.ts";
import type { SigningKey } from "./head-key.ts";
import { type EndKey, endKey, whyUnsigned } from "./head-signature.ts";
import { incidentReader, incidentsQuery } from "./read-incidents.ts";
import { planOf } from "./rows.ts";
import { type SchemaReader, schemaDifferences } from "./schema.ts";
import type { LedgerTables } from "./tables.ts";
import { createTrust } from "./trust.ts";
import { verifyChain } from "./verify.ts";
import { verifyRows } from "./verify-rows.ts";

/** A database that holds the ledger's tables, and how it differs from others. */
export interface LedgerDatabase {
  /** Its transactions run alone among all that write the ledger, whatever process they are in. */
  readonly database: Kysely<LedgerTables>;
  readonly failures: Failures;
  /** This machine's clock. */
  readonly clock: Clock;
  /** What the store's own time follows (it never runs backwards), read inside a transaction. */
  readonly storeTime: (ask: Ask) => Promise<number>;
  /** Begins a transaction that sees one moment and holds nobody up. */
  readonly beginSnapshot: string;
  /** What a query that needs no transaction gives at this moment; null, or absent: the query has to wait its turn. */
  readonly readNow?: <T>(query: CompiledQuery<T>) => readonly T[] | null;
  /** What it is made of, and should be; null: nobody but this process can reach it, so that there is nothing to look for. */
  readonly schema: SchemaReader | null;
  /** What else is wrong with the store itself, a sentence each, for an audit; absent: there is nothing to ask. */
  readonly damage?: (database: Kysely<LedgerTables>) => Promise<readonly string[]>;
  /** The key that signs the ledger's end; throws where it cannot be used. Absent: nobody signs it. */
  readonly signingKey?: () => SigningKey;
  readonly close: () => Promise<void>;
}

/** The ledger, and what only its owner may do. */
export interface OwnLedger extends Ledger, GateStore {
  /**
   * Signs the end as it is now, for a ledger that was written without the configured key. Throws `ledger.corrupt` where the
   * chain, its tables or their schema do not hold, and "input.invalid" where no key is configured.
   */
  signEnd(): Promise<LedgerHead>;
}

/** The ledger over any database that Kysely speaks; the same queries for each. See the ports for what each does. */
export function createLedger(store: LedgerDatabase): OwnLedger {
  const { database, failures, clock } = store;
  let key: EndKey | null = null;
  // Read when it is first needed: whoever only reads needs no key.
  const signer = (): EndKey | null => {
    if (store.signingKey !== undefined) key ??= endKey(store.signingKey());
    return key;
  };
  const trust = store.schema === null ? null : createTrust(store.schema, signer);
  const write = async <T>(work: (tx: Transaction<LedgerTables>) => Promise<T>): Promise<T> => {
    let thrown: { readonly error: unknown } | undefined;
    const watched = (tx: Transaction<LedgerTables>) =>
      work(tx).catch((error: unknown) => {
        thrown = { error };
        throw error;
      });
    try {
      return await database.transaction().execute(watched);
    } catch (error) {
      // What the caller's own work threw is the caller's; only the database's trouble is the ledger's.
      throw thrown?.error === error && !failures.has(error) ? error : unavailable(error, "written");
    }
  };
  const end = chainEnd(database);
  const writeChain = <T>(work: (tx: Transaction<LedgerTables>, chain: Chain) => Promise<T>): Promise<T> =>
    write(async (tx) => {
      const chain = await openChain(tx, store.storeTime, end, signer);
      const made = await work(tx, chain);
      await chain.close();
      return made;
    });
  const read = async <T>(query: Promise<T>): Promise<T> =>
    query.catch((error: unknown) => {
      throw unavailable(error, "read");
    });
  const readIncident = incidentReader(database);
  const worded = queriesInWords();
  const allOpen = openIntents(database);
  // Asked for by every look at the services: put into words once, since that takes longer than to answer it.
  const allPauses = database.selectFrom("pauses").selectAll().orderBy("at").orderBy("scope").compile();
  /** The chain, the tables and what they are made of; `written`: the record of the end that it was held against. */
  const verifyAll = async (heads: readonly LedgerHead[]) => {
    const expected = await read(store.schema?.expected() ?? Promise.resolve(null));
    const chain = await read(verifyChain(database, heads));
    // Rows are compared with entries that are known to be whole; a broken chain is complaint enough.
    const look = async (tx: Kysely<LedgerTables>): Promise<readonly Problem[]> => {
      const rows = chain.ok ? await verifyRows(tx) : [];
      const parts = (await store.schema?.found(async (query) => (await tx.executeQuery(query)).rows)) ?? [];
      const damage = (await store.damage?.(tx)) ?? [];
      const made = expected === null ? [] : schemaDifferences(expected, parts);
      return [...[...damage, ...made].map((reason) => ({ seq: 0, reason: escapeControls(reason) })), ...rows];
    };
    const others = await read(database.connection().execute(inSnapshot(store.beginSnapshot, look)));
    const end = database.selectFrom("head").select(["seq", "hash", "signature"]);
    const written = await read(end.executeTakeFirst());
    const problems = [...chain.problems, ...others];
    return { ...chain, ok: problems.length === 0, problems, written };
  };
  return {
    transact: (work) => writeChain((tx, chain) => work(gateTransaction(tx, chain, clock, allOpen, trust))),
    readAhead: async () => read(trust?.readAhead(database) ?? Promise.resolve()),
    append: (draft) => writeChain((_tx, chain) => chain.append(draft)),
    async entries(filter = {}) {
      if (filter.kinds?.length === 0) return [];
      const query = worded(`entries ${JSON.stringify(filter)}`, () => entriesQuery(database, filter));
      return (await read(database.executeQuery(query))).rows.map(wholeEntryOf);
    },
    saveIncident: (incident) => writeChain((tx, chain) => saveIncident(tx, chain, Incident.parse(incident))),
    async incident(id) {
      const row = await read(
        database.selectFrom("incidents").select(["id", "body"]).where("id", "=", id).executeTakeFirst(),
      );
      return row === undefined ? null : ((await read(Promise.resolve(readIncident(row)))) ?? null);
    },
    async incidents(filter = {}, onDamaged) {
      // A moment is another one each time: words that are never asked again are not kept.
      const query =
        filter.savedSince === undefined
          ? worded(`incidents ${JSON.stringify(filter)}`, () => incidentsQuery(database, filter))
          : incidentsQuery(database, filter);
      const { rows } = await read(database.executeQuery(query));
      const found = await read(Promise.all(rows.map((row) => readIncident(row, onDamaged))));
      return found.filter((one) => one !== null);
    },
    async plan(id) {
      const row = await read(database.selectFrom("plans").selectAll().where("id", "=", id).executeTakeFirst());
      return row === undefined ? null : planOf(row);
    },
    async pauses() {
      const rows = store.readNow?.(allPauses) ?? (await read(database.executeQuery(allPauses))).rows;
      return rows.map(({ scope, paused_by, at }) => ({ scope, by: paused_by, at }));
    },
    saveEvaluation: (last) =>
      write(async (tx) => {
        const row = { at: last.at, body: canonicalJson(LastEvaluation.parse(last)) };
        await tx
          .insertInto("evaluations")
          .values({ id: 1, ...row })
          .onConflict((conflict) => conflict.column("id").doUpdateSet(row))
          .execute();
      }),
    async lastEvaluation() {
      const row = await read(database.selectFrom("evaluations").select("body").executeTakeFirst());
      return row === undefined ? null : lastEvaluationOf(row.body);
    },
    async head() {
      const query = database.selectFrom("entries").select(["seq", "hash"]).orderBy("seq", "desc").limit(1);
      return (await read(query.executeTakeFirst())) ?? { seq: 0, hash: GENESIS };
    },
    async verify(heads = []) {
      const end = signer();
      const { written, ...found } = await verifyAll(heads);
      const unsigned = written === undefined ? null : whyUnsigned(written, end);
      if (unsigned === null) return found;
      return { ...found, ok: false, problems: [...found.problems, { seq: written?.seq ?? 0, reason: unsigned }] };
    },
    async signEnd() {
      const end = signer();
      if (end === null)
        throw new UnshipError("input.invalid", { what: "ledger.signing_key", reason: "the file names none" });
      const { problems, written } = await verifyAll([]);
      const [first] = problems;
      if (first !== undefined)
        throw new UnshipError("ledger.corrupt", { what: `entry ${first.seq}`, reason: first.reason });
      return write(async (tx) => {
        const head = await tx.selectFrom("head").select(["seq", "hash"]).executeTakeFirst();
        if (head?.seq !== written?.seq || head?.hash !== written?.hash) {
          const reason = "somebody wrote to it while it was checked; stop what writes, and sign again";
          throw new UnshipError("ledger.corrupt", { what: `end (entry ${head?.seq ?? 0})`, reason });
        }
        if (head === undefined) return { seq: 0, hash: GENESIS };
        await later(
          tx,
          tx
            .updateTable("head")
            .set({ signature: end.sign(head) })
            .where("id", "=", 1),
        );
        return head;
      });
    },
    close: store.close,
  };
}

/** null: it is no record of an evaluation. */
function lastEvaluationOf(body: string): LastEvaluation | null {
  try {
    return LastEvaluation.safeParse(JSON.parse(body)).data ?? null;
  } catch {
    return null;
  }
}

function entriesQuery(database: Kysely<LedgerTables>, filter: NonNullable<Parameters<Ledger["entries"]>[0]>) {
  let query = database.selectFrom("entries").selectAll().orderBy("seq");
  if (filter.limit !== undefined) query = query.limit(filter.limit);
  if (filter.incidentId !== undefined) query = query.where("incident_id", "=", filter.incidentId);
  if (filter.planId !== undefined) query = query.where("plan_id", "=", filter.planId);
  if (filter.kinds !== undefined) query = query.where("kind", "in", [...filter.kinds]);
  if (filter.afterSeq !== undefined) query = query.where("seq", ">", filter.afterSeq);
  return query.compile();
}

/** So many queries are kept in words: those that every look at open incidents asks again. */
const QUERIES_KEPT = 256;

/** Query → its words, put together once: for a small table that takes longer than the answer. */
function queriesInWords(): <Row>(name: string, query: () => CompiledQuery<Row>) => CompiledQuery<Row> {
  const kept = new Map<string, CompiledQuery<unknown>>();
  return <Row>(name: string, query: () => CompiledQuery<Row>) => {
    const known = kept.get(name);
    // The name says which query it is, and so which rows it gives.
    if (known !== undefined) return known as CompiledQuery<Row>;
    const made = query();
    if (kept.size >= QUERIES_KEPT) kept.clear();
    kept.set(name, made);
    return made;
  };
}

/** All that `look` reads belongs to one moment; unlike a transaction of the gate's it holds nobody up. */
function inSnapshot<T>(begin: string, look: (database: Kysely<LedgerTables>) => Promise<T>) {
  return async (database: Kysely<LedgerTables>): Promise<T> => {
    await database.executeQuery(CompiledQuery.raw(begin));
    try {
      return await look(database);
    } finally {
      await database.executeQuery(CompiledQuery.raw("commit"));
    }
  };
}

async function saveIncident(tx: Transaction<LedgerTables>, chain: Chain, incident: Incident): Promise<void> {
  const body = canonicalJson(incident);
  const entry = await chain.append({
    kind: LEDGER_KINDS.incidentSaved,
    incidentId: incident.id,
    planId: incident.plan?.id ?? null,
    actor: "watch",
    body: new Spelled(body),
  });
  const row = {
    open: Number(incident.stage !== "closed"),
    detected_at: incident.detectedAt,
    entry_seq: entry.seq,
    body,
  };
  await later(
    tx,
    tx
      .insertInto("incidents")
      .values({ id: incident.id, ...row })
      .onConflict((conflict) => conflict.column("id").doUpdateSet(row)),
  );
  const verdict = incident.recovery?.verdict;
  const planId = incident.gate?.planId ?? incident.plan?.id;
  if (verdict === undefined || verdict === "pending" || planId === undefined) return;
  await later(
    tx,
    tx
      .insertInto("recoveries")
      .values({ plan_id: planId, verdict, at: entry.at })
      .onConflict((conflict) => conflict.column("plan_id").doUpdateSet({ verdict, at: entry.at })),
  );
}
