import type { Incident } from "../../core/model/incident.ts";
import { note } from "./incident-state.ts";
import type { ChainRecord, WatchParts } from "./ports.ts";
import { ESCALATED, type Evaluation, escalate } from "./pursuit.ts";

/** How the timeline names a decision, and what the chain said of it. */
export const DECIDED = "decided";
const CHAIN = "chain ";

/** A chain at work on one decision, and what came of it once it is done. */
interface Argument {
  readonly incident: Incident;
  readonly work: Promise<void>;
  answer: ChainRecord | { readonly failed: string } | null;
}

/** Asks the reasoning chain about decisions, beside everything that acts. */
export interface Arguing {
  /** Starts the chain where a decision of an open incident has none, and writes down what has been answered. */
  look(open: ReadonlyMap<string, Incident>, pursuit: Evaluation): Promise<void>;
}

/**
 * The chain comes after everything that acts in a tick, and a tick waits for it `chainPatienceMs` at most; an answer
 * that comes later is written down by a later tick. So a chain that is slow, wrong or down delays and changes nothing
 * (S12). After a crash in between, the next process asks it again.
 */
export function createArguing(parts: WatchParts): Arguing {
  const running = new Map<string, Argument>();

  function start(incident: Incident, { caseFile }: Evaluation): void {
    const ask = async (): Promise<void> => {
      try {
        argument.answer = await parts.reason(incident, caseFile);
      } catch (error) {
        argument.answer = { failed: error instanceof Error ? error.message : String(error) };
      }
    };
    const argument: Argument = { incident, answer: null, work: Promise.resolve().then(ask) };
    running.set(incident.id, argument);
  }

  return {
    async look(open, pursuit) {
      for (const incident of open.values()) {
        if (!running.has(incident.id) && lacksArgument(incident)) start(incident, pursuit);
      }
      if (running.size === 0) return;
      await patiently(
        [...running.values()].map(({ work }) => work),
        parts.chainPatienceMs,
      );
      for (const [id, { incident, answer }] of running) {
        if (answer === null) continue;
        running.delete(id);
        try {
          await record(open.get(id) ?? null, incident, answer, pursuit);
        } catch (error) {
          // The decision stays without an argument, and is asked about again.
          const text = `the argument of incident ${id} could not be written down: ${error instanceof Error ? error.message : String(error)}`;
          parts.emit({ at: pursuit.caseFile.at, event: "tick.failed", text, incident });
        }
      }
    },
  };
}

/**
 * Whether an automatic action waits for what a model says of its decision: only where the file lets a model hold, and
 * no longer than one run of it may take and the look after that. A model that is late holds nothing (S12).
 */
export function awaitsModel(incident: Incident, at: number, { model, watch }: WatchParts["config"]): boolean {
  if (model?.mayHold !== true || !lacksArgument(incident)) return false;
  const decided = incident.timeline.findLast(({ event }) => event.startsWith(DECIDED))?.at ?? at;
  return at - decided <= model.budget.timeMs + watch.stepMs;
}

/** Whether the newest decision is one that the chain has not spoken of. */
function lacksArgument({ timeline }: Incident): boolean {
  const last = timeline.findLast(({ event }) => event.startsWith(DECIDED) || event.startsWith(CHAIN));
  return last?.event.startsWith(DECIDED) === true;
}

/** `now` is the incident as it stands; null where it was closed before the chain had an answer. */
async function record(
  now: Incident | null,
  asked: Incident,
  answer: NonNullable<Argument["answer"]>,
  pursuit: Evaluation,
): Promise<void> {
  const { parts, caseFile, amend } = pursuit;
  if ("failed" in answer) {
    const text = `the reasoning chain of incident ${asked.id} failed and changes nothing: ${answer.failed}`;
    parts.emit({ at: caseFile.at, event: "tick.failed", text, incident: now ?? asked });
    if (now !== null) await amend(now.id, (one) => note(one, caseFile.at, `${CHAIN}failed`, answer.failed));
    return;
  }
  await parts.ledger.append({
    kind: CHAIN_FINISHED,
    incidentId: asked.id,
    planId: null,
    actor: "watch",
    body: answer.body,
  });
  if (now === null) return;
  const word = `${CHAIN}${outcomeWord(answer.agrees)}`;
  await amend(now.id, (one) => {
    const said = note(one, caseFile.at, word, answer.summary);
    return { ...said, usage: addUsage(one.usage, answer.usage) };
  });
  if (answer.questions.length === 0) return;
  // A doubt where the core is not sure by itself is for people to weigh; it holds nothing and causes nothing.
  const headline = `Needs a person to investigate: ${answer.questions.join("; ")}.`;
  const told = await escalate(now, pursuit, headline);
  if (told !== now) await amend(now.id, (one) => note(one, caseFile.at, ESCALATED, headline));
}

const outcomeWord = (agrees: boolean | null): string =>
  agrees === null ? "ran without a model" : agrees ? "agrees" : "disagrees";

/** Waits for all of the work, but not longer than this; without a limit, as a replay needs it, until it is done. */
async function patiently(work: readonly Promise<void>[], limitMs: number | undefined): Promise<void> {
  if (limitMs === undefined) return void (await Promise.all(work));
  const { promise: over, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, limitMs);
  await Promise.race([Promise.all(work), over]);
  clearTimeout(timer);
}

function addUsage(a: Incident["usage"], b: Incident["usage"]): Incident["usage"] {
  return {
    inputTokens: a.inputTokens + b.inputTokens,
    outputTokens: a.outputTokens + b.outputTokens,
    toolCalls: a.toolCalls + b.toolCalls,
  };
}

/** The kind of the entry that holds what the reasoning chain came to. */
export const CHAIN_FINISHED = "chain.finished";
