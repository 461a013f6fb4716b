import type { Config } from "../config/config.ts";
import { knownLevel, worstFirst } from "../impact/worst-first.ts";
import type { Incident } from "../model/incident.ts";
import { asItStands } from "../model/recorded.ts";
import { clockText, rfc3339 } from "../model/time.ts";
import { cleanText, escapeControls, name, quote } from "../model/untrusted-text.ts";
import type { DamagedIncident, Ledger } from "../ports.ts";
import { ACKNOWLEDGEMENT_KINDS, type Acknowledgement, acknowledgementOf, isQuiet } from "./acknowledged.ts";
import { asOfNow, type StandingNow } from "./as-of-now.ts";
import { incidentTitle, planWords, stageWords, waitingPlan } from "./incident-text.ts";
import type { PlanApproved } from "./plan-approved.ts";
import { approvedOf, planCase } from "./waiting-plans.ts";

/** An open incident as it stands (`asItStands`), and who acknowledged it. */
export interface OpenIncident {
  readonly incident: Incident;
  /** The one that holds; null: nobody did, or it is over. */
  readonly acknowledged: Acknowledgement | null;
  /** The approval of its plan, where that is not carried out yet; null: there is none. */
  readonly approved: PlanApproved | null;
}

/** For whoever only tells people of the others: which incidents are damaged is said by the status, and as the watch starts. */
export const leftOut = (_: DamagedIncident): void => {};

/** All open incidents, worst first (`compareImpact`), as the ledger holds them. `onDamaged`: see `Ledger.incidents`. */
export async function openIncidents(
  ledger: Pick<Ledger, "incidents" | "entries" | "plan">,
  services: Config["services"],
  now: number,
  onDamaged?: (damaged: DamagedIncident) => void,
): Promise<readonly OpenIncident[]> {
  const [open, entries] = await Promise.all([
    ledger.incidents({ open: true }, onDamaged),
    ledger.entries({ kinds: ACKNOWLEDGEMENT_KINDS }),
  ]);
  const approved = await approvedIncidents(open, ledger, now);
  const byIncident = Map.groupBy(entries, ({ incidentId }) => incidentId);
  return worstFirst(open, services).map((incident) => {
    const known = acknowledgementOf(incident, byIncident.get(incident.id) ?? [], now);
    return {
      incident: asItStands(incident),
      acknowledged: isQuiet(known) ? known : null,
      approved: approved.get(incident.id) ?? null,
    };
  });
}

/** By incident: the approval of its own plan, where that is not carried out yet. What a person said counts as soon as it is in the ledger. */
export async function approvedIncidents(
  incidents: readonly Incident[],
  ledger: Pick<Ledger, "entries" | "plan">,
  now: number,
): Promise<ReadonlyMap<string, PlanApproved>> {
  const found = await Promise.all(
    incidents.map(async (incident): Promise<readonly [string, PlanApproved][]> => {
      const { id, plan, stage } = incident;
      if (plan === null || (stage !== "waiting-approval" && stage !== "executing")) return [];
      const known = await planCase(plan.id, { ...readsOf(ledger), incident: async () => incident });
      const approved = known === null ? null : approvedOf(known, now);
      return approved === null ? [] : [[id, approved]];
    }),
  );
  return new Map(found.flat());
}

/** The same of incidents that were read with it. */
export const approvedBy = (open: readonly OpenIncident[]): ReadonlyMap<string, PlanApproved> =>
  new Map(open.flatMap(({ incident, approved }) => (approved === null ? [] : [[incident.id, approved] as const])));

const readsOf = (ledger: Pick<Ledger, "entries" | "plan">): Pick<Ledger, "entries" | "plan"> => ({
  entries: (filter) => ledger.entries(filter),
  plan: (id) => ledger.plan(id),
});

/** An open incident as data, the same for `status --json` and the approval API: what waits in it, and how to answer. */
export function openIncidentView({ incident, acknowledged, approved }: OpenIncident, standing: StandingNow) {
  const { impact, gate } = incident;
  const { now } = standing;
  const plan = waitingPlan(incident, now, approved);
  const review = gate === null ? null : asOfNow(gate.review, standing);
  const against = review?.rules.filter(({ verdict }) => verdict !== "allow") ?? [];
  return {
    title: incidentTitle(incident, now),
    state: stageWords(incident, now, approved),
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
    approved:
      approved === null || incident.plan === null
        ? null
        : { plan: incident.plan.id, by: [...approved.by], until: rfc3339(approved.until), denied: approved.isDenied },
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
