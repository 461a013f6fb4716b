import type { Incident } from "../../core/model/incident.ts";
import type { WatchParts } from "./ports.ts";

/** The ledger entry that says memory and postmortem of a closed incident are done; without it a restart does them. */
export const FINISHED = "incident.finished";
/** The entry that says where a postmortem draft lies. */
export const WRITTEN = "postmortem.written";

/** How many closed incidents a restart looks at: a crash can leave only the newest few unfinished. */
const LOOK_BACK = 20;

/**
 * What follows the closing of an incident: memory and the postmortem draft. Both come after the ledger; their failure
 * is said, undoes nothing, and is tried again on the next start.
 */
export async function finishClosed(incident: Incident, parts: WatchParts): Promise<void> {
  const remembered = await attempt("knowledge", incident, parts, async () => {
    if (parts.config.feedback.logOutcome !== null) await parts.store?.remember(incident);
  });
  const drafted = await attempt("postmortem", incident, parts, async () => {
    if (parts.postmortem === null || incident.gate === null) return;
    const path = await parts.postmortem(incident);
    await parts.ledger.append({
      kind: WRITTEN,
      incidentId: incident.id,
      planId: null,
      actor: "watch",
      body: { path },
    });
    parts.emit({ at: parts.clock.now(), event: "postmortem.written", text: path, incident });
  });
  if (remembered && drafted) {
    await parts.ledger.append({ kind: FINISHED, incidentId: incident.id, planId: null, actor: "watch", body: {} });
  }
}

/** After a restart: closed incidents whose memory or postmortem a crash cut off. */
export async function finishLeftOver(parts: WatchParts): Promise<void> {
  for (const incident of await parts.ledger.incidents({ open: false, limit: LOOK_BACK })) {
    if (incident.stage !== "closed") continue;
    const done = await parts.ledger.entries({ incidentId: incident.id, kinds: [FINISHED], limit: 1 });
    if (done.length === 0) await finishClosed(incident, parts);
  }
}

/**
 * Closed incidents whose trouble may still stand after a restart: those that ended within the last so many ms, and
 * those that did not recover, however long ago.
 */
export async function recentlyClosed({ ledger, clock }: WatchParts, withinMs: number): Promise<readonly Incident[]> {
  const closed = await ledger.incidents({ open: false, limit: LOOK_BACK });
  return closed.filter(
    ({ closedAt, outcome }) =>
      closedAt !== null && (outcome === "not-recovered" || outcome === "unknown" || clock.now() - closedAt <= withinMs),
  );
}

async function attempt(
  what: string,
  incident: Incident,
  parts: WatchParts,
  work: () => Promise<void>,
): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    const text = `${what} of incident ${incident.id}: ${error instanceof Error ? error.message : String(error)}`;
    parts.emit({ at: parts.clock.now(), event: "tick.failed", text, incident });
    return false;
  }
}
