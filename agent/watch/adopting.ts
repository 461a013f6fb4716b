import { LEDGER_KINDS, WROTE_NOTHING } from "../../core/guardrails/gate-store.ts";
import type { Incident } from "../../core/model/incident.ts";
import { GateAnswer, takesBack } from "../../core/model/plan.ts";
import { advance } from "./incident-state.ts";
import type { WatchParts } from "./ports.ts";
import { results } from "./wording.ts";

/** Whether the answer's plan wrote anything at a target, or may have. */
export function wrote({ results: all }: GateAnswer): boolean {
  return all.some(({ result }) => !WROTE_NOTHING.includes(result));
}

/** Whether what became of its plan's targets is still to be found out. */
export const isUnsettled = ({ stage, gate }: Pick<Incident, "stage" | "gate">): boolean =>
  stage === "executing" || (gate?.results.some(({ result }) => result === "unknown") ?? false);

/**
 * Brings an incident up to what the gate's record says of it: the result of its own plan that became known only
 * later (a reconciled one), or another plan of the same incident that somebody else had executed. Whoever caused the
 * act, the watch verifies what came of it, where it took something back. The same incident where there is nothing new.
 */
export async function adoptAnswers(incident: Incident, { ledger }: WatchParts): Promise<Incident> {
  if (incident.stage === "closed") return incident;
  const entries = await ledger.entries({ incidentId: incident.id, kinds: [LEDGER_KINDS.planAnswered] });
  const known = incident.gate === null ? null : signature(incident.gate);
  for (const { at, body, planId } of entries.toReversed()) {
    const answer = GateAnswer.safeParse(body);
    if (!answer.success || planId === null || !wrote(answer.data)) continue;
    if (signature(answer.data) === known) return incident;
    const plan = await ledger.plan(planId);
    // A trial that is held goes on hurting: waiting for recovery would keep the real cure away.
    if (plan === null || !takesBack(plan)) continue;
    const when = answer.data.executedAt ?? at;
    return advance(
      { ...incident, plan, gate: answer.data, superseded: [], recovery: null, outcome: null },
      "verifying",
      when,
      answer.data.outcome,
      results(answer.data),
    );
  }
  return incident;
}

/** What tells two answers apart: the plan, and how each of its targets ended. */
function signature({ planId, outcome, results: all }: GateAnswer): string {
  return JSON.stringify([planId, outcome, all.map(({ result }) => result)]);
}
