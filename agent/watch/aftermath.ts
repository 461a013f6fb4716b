import type { Incident } from "../../core/model/incident.ts";
import type { WatchParts } from "./ports.ts";

/** The ledger entry that says memory and postmortem of a closed incident are done; without it a restart does them. */
export const FINISHED = "incident.finished";
/** The entry that says where a postmortem draft lies. */
export const WRITTEN = "postmortem.written";

/** The entries between which people know of a closed incident's symptoms: it did not recover, and now they are over. */
export const RESIDUAL = "symptoms.residual";
export const OVER = "symptoms.over";

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

/** After a restart: closed incidents whose memory or postmortem a crash cut off, however many closed since. */
export async function finishLeftOver(parts: WatchParts): Promise<void> {
  for (const incident of await parts.ledger.incidents({ open: false, lacking: FINISHED })) {
    if (incident.stage === "closed") await finishClosed(incident, parts);
  }
}

/**
 * Closed incidents that still matter after a restart: those that ended within the last so many ms, and those that did
 * not recover and whose symptoms nobody has seen end, however long ago and however many closed since.
 */
export async function recentlyClosed({ ledger, clock }: WatchParts, withinMs: number): Promise<readonly Incident[]> {
  const lately = await ledger.incidents({ open: false, savedSince: clock.now() - withinMs });
  const known = new Map(lately.map((incident) => [incident.id, incident]));
  const residual = new Set<string>();
  for (const { kind, incidentId } of await ledger.entries({ kinds: [RESIDUAL, OVER] })) {
    if (incidentId === null) continue;
    if (kind === RESIDUAL) residual.add(incidentId);
    else residual.delete(incidentId);
  }
  for (const id of residual) {
    const incident = known.get(id) ?? (await ledger.incident(id));
    if (incident !== null && incident.closedAt !== null) known.set(id, incident);
  }
  return [...known.values()];
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
