import { UnshipError } from "../../core/errors.ts";
import { LEDGER_KINDS } from "../../core/guardrails/gate-store.ts";
import { type Incident, isResidual } from "../../core/model/incident.ts";
import type { DamagedIncident } from "../../core/ports.ts";
import { correctRefuted } from "./corrected-memory.ts";
import { tellEnd } from "./end-notice.ts";
import type { WatchParts } from "./ports.ts";

/** The ledger entry that says memory and postmortem of a closed incident are done; without it a restart does them. */
export const FINISHED = "incident.finished";
/** The same of an act that did not prove to help, whose incident stays open for its symptoms. */
export const VERIFIED = "act.verified";
/** The entry that says where a postmortem draft lies. */
export const WRITTEN = "postmortem.written";

/** The entries between which people know of an incident's symptoms: it did not recover, and now they are over. */
export const RESIDUAL = "symptoms.residual";
export const OVER = "symptoms.over";

/**
 * What follows the end of an incident, or of the verification of its act where it stays open: people hear how its act ended; then memory
 * and the postmortem draft, which the end brings up to date. All come after the ledger; their failure is said, undoes nothing, and is
 * tried again on the next start.
 */
export async function finishJudged(incident: Incident, parts: WatchParts): Promise<void> {
  const notified = await attempt("notification of the end", incident, parts, () => tellEnd(incident, parts));
  const remembered = await attempt("knowledge", incident, parts, async () => {
    if (parts.config.feedback.logOutcome === null || parts.store === null) return;
    await parts.store.remember(incident);
    await correctRefuted(incident, parts.store, parts.ledger);
  });
  const drafted = await attempt("postmortem", incident, parts, async () => {
    if (parts.postmortem === null || !(await wasTried(incident, parts))) return;
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
  if (notified && remembered && drafted) {
    const kind = incident.stage === "closed" ? FINISHED : VERIFIED;
    await parts.ledger.append({ kind, incidentId: incident.id, planId: null, actor: "watch", body: {} });
  }
}

/** Whether the gate answered its plan, or tried one for it that turned out to have written nothing: people are to read of both. */
async function wasTried({ id, gate }: Incident, { ledger }: WatchParts): Promise<boolean> {
  if (gate !== null) return true;
  return (await ledger.entries({ incidentId: id, kinds: [LEDGER_KINDS.targetAttempted], limit: 1 })).length > 0;
}

/** What of the ledger's incidents cannot be read is said once, by whoever starts. */
type OnDamaged = (damaged: DamagedIncident) => void;

/** After a restart: judged incidents whose memory or postmortem a crash cut off, however many closed since. */
export async function finishLeftOver(parts: WatchParts, onDamaged: OnDamaged): Promise<void> {
  for (const incident of await parts.ledger.incidents({ open: false, lacking: FINISHED }, onDamaged)) {
    if (incident.stage === "closed") await finishJudged(incident, parts);
  }
  for (const incident of await parts.ledger.incidents({ open: true, lacking: VERIFIED }, onDamaged)) {
    if (isResidual(incident)) await finishJudged(incident, parts);
  }
}

/** Closed incidents that still matter after a restart. */
export interface RecentlyClosed {
  /**
   * Those that ended within the last so many ms, and those that did not recover and whose symptoms nobody has seen end,
   * however long ago and however many closed since.
   */
  readonly incidents: readonly Incident[];
  /** Ids of those whose symptoms were seen to end: whatever is degraded now is none of theirs. */
  readonly over: ReadonlySet<string>;
}

export async function recentlyClosed(
  { ledger, clock }: WatchParts,
  withinMs: number,
  onDamaged: OnDamaged,
): Promise<RecentlyClosed> {
  const lately = await ledger.incidents({ open: false, savedSince: clock.now() - withinMs }, onDamaged);
  const known = new Map(lately.map((incident) => [incident.id, incident]));
  const [residual, over] = [new Set<string>(), new Set<string>()];
  for (const { kind, incidentId } of await ledger.entries({ kinds: [RESIDUAL, OVER] })) {
    if (incidentId === null) continue;
    const [joins, leaves] = kind === RESIDUAL ? [residual, over] : [over, residual];
    joins.add(incidentId);
    leaves.delete(incidentId);
  }
  for (const id of residual) {
    const incident = known.get(id) ?? (await readable(id, ledger, onDamaged));
    if (incident !== null && incident.closedAt !== null) known.set(id, incident);
  }
  return { incidents: [...known.values()], over };
}

/** One incident, or null and said where it is damaged and nothing else tells what it was. */
async function readable(id: string, ledger: WatchParts["ledger"], onDamaged: OnDamaged): Promise<Incident | null> {
  try {
    return await ledger.incident(id);
  } catch (error) {
    if (!(error instanceof UnshipError) || error.code !== "ledger.corrupt") throw error;
    onDamaged({ id, reason: "nothing is known of it" });
    return null;
  }
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
