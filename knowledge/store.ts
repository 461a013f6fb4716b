import type { Config, OutcomeField } from "../core/config/config.ts";
import { UnshipError } from "../core/errors.ts";
import { type Incident, OutcomeKind } from "../core/model/incident.ts";
import type { IncidentStore, RecalledIncident } from "../core/ports.ts";
import { fuse } from "./fusion.ts";
import { discardLanceTable, type LanceTable, openLanceTable } from "./lance-table.ts";
import { feature, recordOf } from "./record.ts";

export interface StoreOptions {
  /** The folder of the LanceDB database. */
  readonly path: string;
  /** The table: `log_outcome.store`. */
  readonly table: string;
  /** `log_outcome.include`. */
  readonly include: readonly OutcomeField[];
}

/** The memory, and what people need to look at and to correct it. */
export interface Memory extends IncidentStore {
  list(limit: number): Promise<readonly RecalledIncident[]>;
  forget(incidentId: string): Promise<void>;
}

/** What LanceDB accepts as a table's name. */
const TABLE_NAME = /^[\w.-]{1,128}$/;

/** A question longer than this is cut: BM25 weighs words, and the first few hundred say what it is about. */
const QUERY_LENGTH = 2_000;

/** The store that the configuration asks for; null where it has no `log_outcome`: then nothing is remembered. */
export function configuredStore(config: Pick<Config, "knowledge" | "feedback">): Memory | null {
  const { logOutcome } = config.feedback;
  return logOutcome === null
    ? null
    : createIncidentStore({ path: config.knowledge.path, table: logOutcome.store, include: logOutcome.include });
}

/**
 * The index of past incidents over LanceDB. Opened on first use; every failure is `store.unavailable`, whose text says
 * how to rebuild it, and nothing else may stop because of it. Recall fuses two searches by rank: BM25 over the text,
 * and BM25 over structured features (services, metrics, error signatures).
 */
export function createIncidentStore({ path, table: tableName, include }: StoreOptions): Memory {
  let opened: Promise<LanceTable> | null = null;
  let writing: Promise<unknown> = Promise.resolve();

  const open = () => {
    opened ??= openLanceTable(path, tableName).catch((error: unknown) => {
      opened = null; // the next call tries again
      throw error;
    });
    return opened;
  };

  async function use<T>(work: (table: LanceTable) => Promise<T>): Promise<T> {
    if (!TABLE_NAME.test(tableName)) {
      throw new UnshipError("store.unavailable", {
        reason: "log_outcome.store may hold letters, digits, _ . and - alone",
      });
    }
    try {
      return await work(await open());
    } catch (cause) {
      throw new UnshipError("store.unavailable", { reason: REBUILD }, { cause });
    }
  }

  /** Writes of this process one after another: LanceDB retries conflicts, but each retry costs a version. */
  function inOrder<T>(work: () => Promise<T>): Promise<T> {
    const done = writing.then(work, work);
    writing = done.catch(() => undefined);
    return done;
  }

  return {
    remember(incident) {
      const record = recordOf(incident, include);
      if (record === null) {
        const reason = `incident ${incident.id} has no outcome yet; remember it when it is closed`;
        return Promise.reject(new UnshipError("input.invalid", { what: "incident", reason }));
      }
      return inOrder(() => use((table) => table.write([record])));
    },
    async recall({ text, services = [], limit }) {
      const question = text.slice(0, QUERY_LENGTH);
      return use(async (table) => {
        const features = featuresOf(question, services);
        const byText = question.trim() === "" ? [] : await table.search("text", question);
        const byFeature = features === "" ? [] : await table.search("features", features);
        const found = new Map([...byText, ...byFeature].map((row) => [row.id, row]));
        return fuse([byText.map(({ id }) => id), byFeature.map(({ id }) => id)])
          .slice(0, limit)
          .flatMap(({ id, score }) => {
            const row = found.get(id);
            return row === undefined ? [] : [recalled(row, score)];
          });
      });
    },
    rebuild(incidents: readonly Incident[]) {
      const records = incidents.map((incident) => recordOf(incident, include)).filter((record) => record !== null);
      return inOrder(async () => {
        // A table that cannot be opened cannot be overwritten either.
        await open().catch(() => (TABLE_NAME.test(tableName) ? discardLanceTable(path, tableName) : undefined));
        await use((table) => table.replaceAll(records));
      });
    },
    list: (limit) => use(async (table) => (await table.list(limit)).map((row) => recalled(row, 0))),
    forget: (incidentId) => inOrder(() => use((table) => table.remove(incidentId))),
    async close() {
      await writing;
      const table = await opened?.catch(() => null);
      opened = null;
      await table?.close();
    },
  };
}

const REBUILD =
  "its files are damaged, missing or not readable; incidents go on without it, and `unship knowledge rebuild` makes " +
  "it again from the ledger";

/** Every word of a question as each kind of feature that it may be: those that no incident has find nothing. */
function featuresOf(text: string, services: readonly string[]): string {
  const words = [...new Set(text.split(/[\s,;()"'«»]+/).filter((word) => word.length > 1))].slice(0, 64);
  const guesses = words.flatMap((word) => [feature("service", word), feature("metric", word), feature("flag", word)]);
  return [...services.map((service) => feature("service", service)), ...guesses].join(" ");
}

function recalled(
  row: { readonly id: string; readonly at: number; readonly summary: string; readonly outcome: string },
  score: number,
): RecalledIncident {
  const outcome = OutcomeKind.safeParse(row.outcome);
  return {
    incidentId: row.id,
    at: row.at,
    summary: row.summary,
    outcome: outcome.success ? outcome.data : "unknown",
    score,
  };
}
