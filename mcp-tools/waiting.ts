import { z } from "zod";
import { LEDGER_KINDS } from "../core/guardrails/gate-store.ts";
import { stageWords } from "../core/guardrails/incident-text.ts";
import { approvedIncidents } from "../core/guardrails/open-incidents.ts";
import { type PlanState, planCase, stateOf } from "../core/guardrails/waiting-plans.ts";
import type { Incident } from "../core/model/incident.ts";
import type { ToolContext } from "./context.ts";

/** Clients give up a call after 60 s (the SDKs' request time-out); what is read and sent has the rest. */
const MOST_SECONDS = 50;
/** How often the ledger is read meanwhile, ms. */
const STEP_MS = 1_000;

/** How long a call may wait for a change, in seconds; 0: not at all. */
export const waitSeconds = z
  .int()
  .min(0)
  .max(MOST_SECONDS)
  .default(0)
  .describe("Waits so long for a change of state; 0 answers at once");

type Waits = Pick<ToolContext, "pause" | "clock">;

/**
 * Reads until what is read is `reached`, or until the time is over; what was read last. Where the context cannot pause it is what
 * was read first. Rejects as soon as `abort` fires: whoever asked has gone.
 */
export async function until<T>(
  read: () => Promise<T>,
  reached: (state: T) => boolean,
  seconds: number,
  { pause, clock }: Waits,
  abort: AbortSignal,
): Promise<T> {
  let state = await read();
  if (pause === undefined) return state;
  const start = clock.now();
  // Both are counted: a clock may be set back meanwhile, and reading may take long.
  for (let left = seconds * 1_000; left > 0 && clock.now() - start < seconds * 1_000; left -= STEP_MS) {
    if (reached(state)) return state;
    await pause(Math.min(STEP_MS, left), abort);
    abort.throwIfAborted();
    state = await read();
  }
  return state;
}

type Reads = Pick<ToolContext, "ledger" | "clock">;

/** Where an incident is. */
export interface IncidentState {
  /** Its stage, its plan and what people said of it, its recovery and outcome: a text to compare. */
  readonly text: string;
  /** Whether unship alone goes on from here, and nobody has anything to do or to hear meanwhile. */
  readonly isPassing: boolean;
}

const PASSING: readonly Incident["stage"][] = ["detected", "waiting-policy", "executing"];

/** Where an incident is now, as the ledger has it. */
export async function incidentState(id: string, { ledger, clock }: Reads): Promise<IncidentState> {
  const incident = await ledger.incident(id);
  if (incident === null) return { text: "none", isPassing: false };
  const approved = (await approvedIncidents([incident], ledger, clock.now())).get(id);
  const { stage, outcome, plan, recovery } = incident;
  const answered = plan === null ? null : await planState(plan.id, { ledger, clock });
  const words = stageWords(incident, clock.now(), approved);
  const willRun = stage === "waiting-approval" && approved !== undefined && !approved.isDenied;
  return {
    text: JSON.stringify([stage, outcome, plan?.id, answered, words, recovery?.verdict]),
    isPassing: PASSING.includes(stage) || willRun,
  };
}

/** How a plan is, by what the ledger knows of it; null: it knows none. */
export async function planState(id: string, { ledger, clock }: Reads): Promise<PlanState | null> {
  const known = await planCase(id, ledger);
  return known === null ? null : stateOf(known, clock.now());
}

/** How often the gate has said what was done of a plan. */
export const answersOf = async (planId: string, { ledger }: Reads): Promise<number> =>
  (await ledger.entries({ planId, kinds: [LEDGER_KINDS.planAnswered] })).length;
