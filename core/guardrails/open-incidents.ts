import type { Config } from "../config/config.ts";
import { knownLevel, worstFirst } from "../impact/worst-first.ts";
import type { Incident } from "../model/incident.ts";
import { asItStands } from "../model/recorded.ts";
import { rfc3339 } from "../model/time.ts";
import { cleanText, escapeControls, name, quote } from "../model/untrusted-text.ts";
import type { DamagedIncident, Ledger } from "../ports.ts";
import { ACKNOWLEDGEMENT_KINDS, type Acknowledgement, acknowledgementOf, isQuiet } from "./acknowledged.ts";
import { incidentTitle, planWords, stageWords, waitingPlan } from "./incident-text.ts";
import { clockText } from "./rule.ts";

/** An open incident as it stands (`asItStands`), and who acknowledged it. */
export interface OpenIncident {
  readonly incident: Incident;
  /** The one that holds; null: nobody did, or it is over. */
  readonly acknowledged: Acknowledgement | null;
}

/** For whoever only tells people of the others: which incidents are damaged is said by the status, and as the watch starts. */
export const leftOut = (_: DamagedIncident): void => {};

/** All open incidents, worst first (`compareImpact`), as the ledger holds them. `onDamaged`: see `Ledger.incidents`. */
export async function openIncidents(
  ledger: Pick<Ledger, "incidents" | "entries">,
  services: Config["services"],
  now: number,
  onDamaged?: (damaged: DamagedIncident) => void,
): Promise<readonly OpenIncident[]> {
  const [open, entries] = await Promise.all([
    ledger.incidents({ open: true }, onDamaged),
    ledger.entries({ kinds: ACKNOWLEDGEMENT_KINDS }),
  ]);
  const byIncident = Map.groupBy(entries, ({ incidentId }) => incidentId);
  return worstFirst(open, services).map((incident) => {
    const known = acknowledgementOf(incident, byIncident.get(incident.id) ?? [], now);
    return { incident: asItStands(incident), acknowledged: isQuiet(known) ? known : null };
  });
}

/** An open incident as data, the same for `status --json` and the approval API: what waits in it, and how to answer. */
export function openIncidentView({ incident, acknowledged }: OpenIncident, now: number) {
  const { impact, gate } = incident;
  const plan = waitingPlan(incident, now);
  const against = gate?.review.rules.filter(({ verdict }) => verdict !== "allow") ?? [];
  return {
    title: incidentTitle(incident, now),
    state: stageWords(incident),
    impact: { level: knownLevel(incident), failed_share: impact?.failedShare ?? null },
    as_of: rfc3339(incident.seenAt),
    affected_services: [...incident.affectedServices],
    waiting:
      plan === null
        ? null
        : {
            plan: plan.id,
            does: planWords(plan),
            held_by: against.map(({ rule, reason }) => ({ rule, reason })),
            expires_at: rfc3339(plan.expiresAt),
            answer: [`unship approve ${plan.id}`, `unship reject ${plan.id}`],
          },
    acknowledged:
      acknowledged === null
        ? null
        : {
            as: acknowledged.as,
            by: acknowledged.by,
            at: rfc3339(acknowledged.at),
            until: rfc3339(acknowledged.until),
            note: escapeControls(cleanText(acknowledged.note)),
          },
  };
}

/** "acknowledged by alice until 20:14:58 UTC: on it". */
export function acknowledgedWords({ as, by, until, note }: Acknowledgement, now: number): string {
  const did = as === "snooze" ? "snoozed" : "acknowledged";
  return `${did} by ${name(by)} until ${clockText(until, now)}${note === "" ? "" : `: ${quote(note)}`}`;
}
