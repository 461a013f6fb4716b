import {
  ACKNOWLEDGEMENT_KINDS,
  type Acknowledgement,
  acknowledgementOf,
  isQuiet,
} from "../../core/guardrails/acknowledged.ts";
import { LEDGER_KINDS } from "../../core/guardrails/gate-store.ts";
import { incidentLines, incidentTitle } from "../../core/guardrails/incident-text.ts";
import { approvedIncidents, leftOut } from "../../core/guardrails/open-incidents.ts";
import { type Incident, QUIET_SINCE } from "../../core/model/incident.ts";
import { clockText } from "../../core/model/time.ts";
import { recipientsOf } from "./notices.ts";
import type { GateLimits, GateParts } from "./parts.ts";
import { say } from "./send-notice.ts";

/**
 * Pages people once more of every open incident whose acknowledgement is over, by its time or by something worse, where it
 * is still degraded; then writes down that it is over. May be called at any rate, by any process. Returns the open
 * incidents that are quiet: of those nobody is reminded, and nobody next in line is told.
 */
export async function pageAgain(parts: GateParts, limits: GateLimits): Promise<ReadonlySet<string>> {
  const { store } = parts;
  const quiet = new Set<string>();
  const entries = await store.entries({ kinds: ACKNOWLEDGEMENT_KINDS });
  if (entries.length === 0) return quiet;
  const byIncident = Map.groupBy(entries, ({ incidentId }) => incidentId);
  const open = await store.incidents({ open: true }, leftOut);
  if (!open.some(({ id }) => byIncident.has(id))) return quiet;
  const now = await store.transact(async (tx) => tx.now);
  for (const incident of open) {
    const known = acknowledgementOf(incident, byIncident.get(incident.id) ?? [], now);
    if (isQuiet(known)) quiet.add(incident.id);
    if (known === null || known.over.length === 0 || known.settled) continue;
    const paged = isDegraded(incident);
    if (paged) await page(incident, known, open, now, parts, limits);
    await store.append({
      kind: LEDGER_KINDS.acknowledgementEnded,
      incidentId: incident.id,
      planId: incident.plan?.id ?? null,
      actor: "gate",
      body: { of: known.seq, because: known.over.join("; "), paged },
    });
  }
  return quiet;
}

/**
 * Whether an incident, as it was last saved, still has something wrong. Its record keeps what was found last; that the
 * signals are back is a mark in its timeline, and in verification the checks say it.
 */
function isDegraded({ timeline, recovery, stage }: Incident): boolean {
  if (timeline.some(({ event }) => event === QUIET_SINCE)) return false;
  return stage !== "verifying" || recovery === null || recovery.checks.some(({ verdict }) => verdict !== "recovered");
}

async function page(
  incident: Incident,
  { as, by, at, until, over }: Acknowledgement,
  open: readonly Incident[],
  now: number,
  parts: GateParts,
  limits: GateLimits,
): Promise<void> {
  const approved = await approvedIncidents([incident, ...open], parts.store, now);
  const did = as === "snooze" ? "snoozed" : "acknowledged";
  const said = {
    // A pager tells alerts apart by their titles: the second acknowledgement's end must page, too.
    title: `${incidentTitle(incident)} (acknowledged until ${clockText(until, now)})`,
    lines: [
      `${by} ${did} it at ${clockText(at, now)} until ${clockText(until, now)}: ${over.join("; ")}.`,
      ...incidentLines(incident, { now, open, services: parts.config.services, approved }),
      `No pages for an hour: unship snooze ${incident.id} --for 1h`,
    ],
    severity: "critical",
  } as const;
  const to = recipientsOf(parts, incident.conditions);
  await say(parts, limits, { incidentId: incident.id, id: null }, to, said, { about: "acknowledgement over" });
}
