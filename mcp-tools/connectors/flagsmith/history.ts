import type { AuditEntry, FlagsmithClient } from "./client.ts";

/** One change of one feature in the environment, as the audit log tells it. */
export interface FlagEvent {
  readonly id: number;
  readonly at: number;
  readonly author: string;
  readonly stateId: number;
  /** null: it was not switched. "unknown": the entry does not say, so it may have been. */
  readonly switched: { readonly from: boolean; readonly to: boolean } | "unknown" | null;
  /** What else changed, in words: "feature_state_value 5"; "" for nothing. */
  readonly from: string;
  readonly to: string;
}

/** How the log's authors without a name are called: keys of the organisation, unship's own among them. */
export const API_KEY = "an API key";

/** An entry never changes, so each is asked for once; of this many the oldest are forgotten. */
const MOST_KEPT = 2000;
/** Each entry costs a request; a window with more is a bulk edit. */
const MOST_EVENTS = 200;

/**
 * Reads the audit log back to a moment, each entry with what changed in it. Throws where there is more than can be
 * read: half of a history is none (S9).
 */
export function flagHistory(client: FlagsmithClient) {
  const details = new Map<number, AuditEntry>();
  async function detail(entry: AuditEntry, abort: AbortSignal): Promise<AuditEntry> {
    const known = details.get(entry.id);
    if (known !== undefined) return known;
    const read = await client.auditEntry(entry.id, abort);
    if (details.size >= MOST_KEPT) details.delete(details.keys().next().value ?? 0);
    details.set(entry.id, read);
    return read;
  }
  /** Events at or after `from` (Unix ms), oldest first; of one state alone where it is given. */
  return async (from: number, abort: AbortSignal, stateId?: number): Promise<readonly FlagEvent[]> => {
    const listed = await client.audit(({ created_date }) => created_date < from, abort);
    const wanted = listed.filter(
      ({ created_date, related_object_id }) =>
        created_date >= from && (stateId === undefined || related_object_id === stateId),
    );
    if (wanted.length > MOST_EVENTS)
      throw new Error(`${wanted.length} changes of flags in one window; its history was not read whole`);
    const events: FlagEvent[] = [];
    for (const entry of wanted) events.push(eventOf(entry, await detail(entry, abort)));
    return events.toSorted((a, b) => a.at - b.at || a.id - b.id);
  };
}

function eventOf(entry: AuditEntry, { change_details: details }: AuditEntry): FlagEvent {
  const enabled = details?.find(({ field }) => field === "enabled");
  const others = (details ?? []).filter(({ field }) => field !== "enabled");
  const text = (side: "old" | "new") =>
    others.map((one) => `${one.field} ${JSON.stringify(one[side] ?? null).slice(0, 200)}`).join(", ");
  return {
    id: entry.id,
    at: entry.created_date,
    author: entry.author?.email ?? API_KEY,
    stateId: entry.related_object_id ?? 0,
    switched:
      details === null || details === undefined || details.length === 0
        ? "unknown"
        : enabled === undefined
          ? null
          : { from: isOn(enabled.old), to: isOn(enabled.new) },
    from: text("old"),
    to: text("new"),
  };
}

const isOn = (value: unknown): boolean => value === true || value === "True" || value === "true";
