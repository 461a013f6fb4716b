import { LEDGER_KINDS } from "../../core/guardrails/gate-store.ts";
import type { Incident, OutcomeKind } from "../../core/model/incident.ts";
import type { Ledger } from "../../core/ports.ts";
import { verdictText } from "./wording.ts";

/** The timeline's line of a plan whose time ran out while it waited for a person. */
export const PLAN_EXPIRED = "plan expired";

/** How an incident ends whose trouble passed by itself. */
export interface Passed {
  readonly outcome: Extract<OutcomeKind, "recommended" | "denied" | "expired" | "withdrawn" | "no-action">;
  /** What came of its plan, in words; empty where it had none that anybody answered. */
  readonly because: string;
}

/**
 * What became of a decision that nothing was written for: a plan that the gate or a person denied, one that nobody
 * answered while it could still be used, or else a decision that was withdrawn before anybody had to answer. `at`: now.
 */
export async function passed(incident: Incident, at: number, ledger: Pick<Ledger, "entries">): Promise<Passed> {
  const { decision, plan, gate, timeline } = incident;
  if (decision?.action === "hotfix_recommendation") return { outcome: "recommended", because: "" };
  if (decision?.action !== "rollback" && decision?.action !== "feature_flag_disable")
    return { outcome: "no-action", because: "" };
  const [rejected] = await ledger.entries({
    incidentId: incident.id,
    kinds: [LEDGER_KINDS.approvalRejected],
    limit: 1,
  });
  if (rejected !== undefined) return { outcome: "denied", because: `${rejected.actor} rejected the plan. ` };
  if (gate?.outcome === "denied")
    return { outcome: "denied", because: `Nothing was undone: ${verdictText(gate.review)}. ` };
  const expired = timeline.some(({ event }) => event === PLAN_EXPIRED);
  if (expired || (gate?.outcome === "held" && plan !== null && plan.expiresAt <= at))
    return { outcome: "expired", because: "Nobody answered the plan while it could still be used. " };
  return { outcome: "withdrawn", because: "" };
}
