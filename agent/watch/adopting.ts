import { isAbout } from "../../core/guardrails/about-incident.ts";
import { LEDGER_KINDS } from "../../core/guardrails/gate-store.ts";
import { writtenTargets } from "../../core/model/deed.ts";
import type { Incident } from "../../core/model/incident.ts";
import { GateAnswer, NO_INCIDENT, takesBack } from "../../core/model/plan.ts";
import { NOTHING_WRITTEN } from "./earlier.ts";
import { advance } from "./incident-state.ts";
import { outsideActs } from "./outside-acts.ts";
import type { WatchParts } from "./ports.ts";
import { results } from "./wording.ts";

/** Whether the answer's plan wrote anything at a target, or may have. */
export const wrote = (gate: GateAnswer): boolean => writtenTargets({ gate }).length > 0;

/** Whether what became of its plan's targets is still to be found out. */
export const isUnsettled = (incident: Pick<Incident, "stage" | "gate">): boolean =>
  incident.stage === "executing" || unknownSince(incident) !== null;

/**
 * Whether an incident waits until the gate has reconciled its act with the target's real state: nobody can judge what an act
 * did that may not have happened yet (S5). No longer than `patienceMs`: whoever does not answer by then is not waited for.
 */
export function awaitsResult(incident: Pick<Incident, "gate">, at: number, patienceMs: number): boolean {
  const since = unknownSince(incident);
  return since !== null && at - since < patienceMs;
}

/** Since when a target was tried and has not said what came of it, Unix ms; null: all have. */
function unknownSince({ gate }: Pick<Incident, "gate">): number | null {
  const times = (gate?.results ?? []).flatMap(({ result, at }) => (result === "unknown" ? [at] : []));
  return times.length === 0 ? null : Math.min(...times);
}

/**
 * Brings an incident up to what the gate's record says of it: the result of its own plan that became known only
 * later (a reconciled one), another plan of the same incident that somebody else had executed, or one outside any incident
 * that took back what this one suspects. Whoever caused the
 * act, the watch verifies what came of it, where it took something back. The same incident where there is nothing new.
 */
export async function adoptAnswers(incident: Incident, { ledger }: WatchParts): Promise<Incident> {
  if (incident.stage === "closed") return incident;
  const entries = await ledger.entries({ incidentId: incident.id, kinds: [LEDGER_KINDS.planAnswered] });
  const known = incident.gate === null ? null : signature(incident.gate);
  // Of one plan its newest answer counts: what an earlier one did not know is known since.
  const newest = new Map(entries.map((entry) => [entry.planId, entry]));
  for (const { at, body, planId } of [...newest.values()].toSorted((a, b) => b.seq - a.seq)) {
    const answer = GateAnswer.safeParse(body);
    if (!answer.success || planId === null) continue;
    if (signature(answer.data) === known) return incident;
    if (!wrote(answer.data)) {
      if (planId === incident.gate?.planId && unknownSince(incident) !== null)
        return withNothingWritten(incident, answer.data, at);
      continue;
    }
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
  return incident.stage === "executing" ? incident : adoptOutside(incident, ledger);
}

/**
 * The incident whose act turned out to have written nothing: there is nothing to verify, and whatever was said of it while
 * nobody knew is said no longer. The evidence is judged again, as after any plan that wrote nothing.
 */
function withNothingWritten(incident: Incident, answer: GateAnswer, at: number): Incident {
  const unjudged: Incident = { ...incident, plan: null, gate: null, superseded: [], recovery: null, outcome: null };
  return advance(unjudged, "investigated", at, NOTHING_WRITTEN, `${answer.outcome}: ${results(answer)}`);
}

async function adoptOutside(incident: Incident, ledger: WatchParts["ledger"]): Promise<Incident> {
  const { detectedAt, extent } = incident;
  const window = { since: extent?.detectedAt ?? detectedAt, until: Number.POSITIVE_INFINITY };
  const acts = await outsideActs(incident, window, ledger, NO_INCIDENT);
  const act = acts.findLast((one) => takesBack(one) && isAbout(one.plan, incident));
  if (act === undefined) return incident;
  const { plan, answer, at } = act;
  return advance(
    { ...incident, plan, gate: answer, superseded: [], recovery: null, outcome: null },
    "verifying",
    at,
    answer.outcome,
    `${plan.id}, proposed outside this incident by ${plan.proposedBy}: ${results(answer)}`,
  );
}

/**
 * Whether somebody's plan is being carried out that may be about this incident, so that nobody can judge yet what is to be done:
 * half of it may show already. No longer than `patienceMs` after it was begun.
 */
export async function isUnderWay(
  incident: Incident,
  { at, patienceMs }: { readonly at: number; readonly patienceMs: number },
  { ledger }: Pick<WatchParts, "ledger">,
): Promise<boolean> {
  if (incident.stage === "executing" || incident.stage === "verifying" || incident.stage === "closed") return false;
  for (const incidentId of [incident.id, NO_INCIDENT]) {
    const kinds = [LEDGER_KINDS.planReserved, LEDGER_KINDS.planAnswered];
    const last = new Map((await ledger.entries({ incidentId, kinds })).map((entry) => [entry.planId, entry]));
    for (const { kind, at: begun, planId } of last.values()) {
      if (kind !== LEDGER_KINDS.planReserved || at - begun >= patienceMs || planId === null) continue;
      const plan = await ledger.plan(planId);
      if (plan !== null && isAbout(plan, incident)) return true;
    }
  }
  return false;
}

/** What tells two answers apart: the plan, and how each of its targets ended. */
function signature({ planId, outcome, results: all }: GateAnswer): string {
  return JSON.stringify([planId, outcome, all.map(({ result }) => result)]);
}
