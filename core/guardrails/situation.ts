import type { Config } from "../config/config.ts";
import type { LastEvaluation } from "../model/last-evaluation.ts";
import { isWithItsPlan } from "../model/recorded.ts";
import type { DamagedIncident, Ledger } from "../ports.ts";
import { waitingPlan } from "./incident-text.ts";
import { type OpenAct, openActs } from "./open-acts.ts";
import { type OpenIncident, openIncidents } from "./open-incidents.ts";
import { type PlanCase, waitingPlans } from "./waiting-plans.ts";

/** Everything that is open at one moment, as every surface tells it (S15). */
export interface Situation {
  /** Worst first. */
  readonly open: readonly OpenIncident[];
  /** All plans that wait for a person, or were approved and are not carried out yet; the oldest first. */
  readonly plans: readonly PlanCase[];
  /** Those of them that are told with no open incident. */
  readonly beside: readonly PlanCase[];
  /** Acts that are not settled, of plans that no open incident shows as its own; the oldest first. */
  readonly acts: readonly OpenAct[];
  readonly pauses: Awaited<ReturnType<Ledger["pauses"]>>;
  /** The watch's newest evaluation; null: none is recorded. */
  readonly evaluation: LastEvaluation | null;
  /** Open incidents whose row is damaged, and how each is told all the same. */
  readonly damaged: readonly DamagedIncident[];
}

/** Reads what is open at `now` (Unix ms). Throws "ledger.unavailable". */
export async function situationOf(
  ledger: Pick<Ledger, "incident" | "incidents" | "entries" | "plan" | "pauses" | "lastEvaluation">,
  services: Config["services"],
  now: number,
): Promise<Situation> {
  const damaged = new Map<string, DamagedIncident>();
  const onDamaged = (one: DamagedIncident) => void damaged.set(one.id, one);
  const [open, plans, acts, pauses, evaluation] = await Promise.all([
    openIncidents(ledger, services, now, onDamaged),
    waitingPlans(ledger, now, onDamaged),
    openActs(ledger),
    ledger.pauses(),
    ledger.lastEvaluation(),
  ]);
  const shown = new Set(open.flatMap((one) => planShownWith(one, now) ?? []));
  return {
    open,
    plans,
    beside: plans.filter(({ plan }) => !shown.has(plan.id)),
    acts: acts.filter(({ plan }) => !isOwnPlan(plan, open)),
    pauses,
    evaluation,
    damaged: [...damaged.values()],
  };
}

/** The plan that is told with its incident: one that waits for an answer there, or has it; null: none is. */
function planShownWith({ incident, approved }: OpenIncident, now: number): string | null {
  if (approved !== null) return incident.plan?.id ?? null;
  return waitingPlan(incident, now)?.id ?? null;
}

/** Whether an open incident tells of this plan as the one that is carried out or verified in it. */
function isOwnPlan({ id, incidentId }: OpenAct["plan"], open: readonly OpenIncident[]): boolean {
  const incident = open.find((one) => one.incident.id === incidentId)?.incident;
  return incident?.plan?.id === id && isWithItsPlan(incident);
}
