import type { Kysely } from "kysely";
import { UnshipError } from "../../core/errors.ts";
import { LEDGER_KINDS } from "../../core/guardrails/gate-store.ts";
import { asReadNow } from "../../core/model/as-read-now.ts";
import { Incident } from "../../core/model/incident.ts";
import type { DamagedIncident, Ledger } from "../../core/ports.ts";
import { parsed } from "./rows.ts";
import type { LedgerTables } from "./tables.ts";

/** The rows of incidents that fit a filter, in the order in which they are given: no more of them than tells which it is and what it holds. */
export function incidentsQuery(
  database: Kysely<LedgerTables>,
  filter: NonNullable<Parameters<Ledger["incidents"]>[0]>,
) {
  let query = database.selectFrom("incidents").select(["id", "body"]).orderBy("detected_at", "desc").orderBy("id");
  if (filter.limit !== undefined) query = query.limit(filter.limit);
  if (filter.open !== undefined) query = query.where("open", "=", Number(filter.open));
  const { savedSince, lacking } = filter;
  if (savedSince !== undefined) {
    // By the first entry since then: times in the ledger never run backwards, so that its number tells as much.
    query = query.where("entry_seq", ">=", (one) =>
      one
        .selectFrom("entries")
        .select(({ fn, val }) => fn.coalesce(fn.min("seq"), val(Number.MAX_SAFE_INTEGER)).as("first"))
        .where("kind", "=", LEDGER_KINDS.incidentSaved)
        .where("at", ">=", savedSince),
    );
  }
  if (lacking !== undefined) {
    query = query.where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom("entries")
            .select("seq")
            .whereRef("entries.incident_id", "=", "incidents.id")
            .where("kind", "=", lacking),
        ),
      ),
    );
  }
  return query.compile();
}

/** So many incidents are kept as they were read last: those that every look at open incidents asks for again. */
const INCIDENTS_KEPT = 512;

type IncidentRow = Pick<LedgerTables["incidents"], "id" | "body">;

/**
 * Row → incident. A row whose text is what it was is not taken apart and checked again. Of one that holds no incident the
 * chain is asked, since the row only repeats what an entry says: `onDamaged` is told, and null comes where the entry
 * holds none either; without `onDamaged` that throws `ledger.corrupt`.
 */
export function incidentReader(database: Kysely<LedgerTables>) {
  const kept = new Map<string, { readonly body: string; readonly incident: Incident }>();
  const keep = ({ id, body }: IncidentRow, incident: Incident): Incident => {
    kept.delete(id);
    kept.set(id, { body, incident });
    const [oldest] = kept.keys();
    if (kept.size > INCIDENTS_KEPT && oldest !== undefined) kept.delete(oldest);
    return incident;
  };
  return (row: IncidentRow, onDamaged?: (damaged: DamagedIncident) => void): Incident | Promise<Incident | null> => {
    const known = kept.get(row.id);
    if (known?.body === row.body) return known.incident;
    try {
      return keep(row, incidentOf(row.body, row.id));
    } catch (error) {
      return fromEntry(database, row.id, onDamaged, error);
    }
  };
}

const incidentOf = (body: string, id: string): Incident => asReadNow(parsed(Incident, body, `incident ${id}`));

/** The incident as it was last saved, by the chain. */
async function fromEntry(
  database: Kysely<LedgerTables>,
  id: string,
  onDamaged: ((damaged: DamagedIncident) => void) | undefined,
  error: unknown,
): Promise<Incident | null> {
  const entry = await database
    .selectFrom("entries")
    .select(["seq", "body"])
    .where("incident_id", "=", id)
    .where("kind", "=", LEDGER_KINDS.incidentSaved)
    .orderBy("seq", "desc")
    .limit(1)
    .executeTakeFirst();
  try {
    if (entry === undefined) throw error;
    const incident = incidentOf(entry.body, id);
    onDamaged?.({ id, reason: `its row is damaged; taken from entry ${entry.seq}, which saved it last` });
    return incident;
  } catch (damage) {
    if (!(damage instanceof UnshipError) || onDamaged === undefined) throw damage;
    const also = entry === undefined ? "no entry saved it" : `so is entry ${entry.seq}, which saved it last`;
    onDamaged({ id, reason: `its row is damaged, and ${also}: nothing is known of it` });
    return null;
  }
}
