import type { Incident } from "../../core/model/incident.ts";
import { note } from "./incident-state.ts";
import type { Pursuit } from "./pursuit.ts";

/** How the timeline names a decision, and what the chain said of it. */
export const DECIDED = "decided";
const CHAIN = "chain ";

/**
 * Runs the reasoning chain over the evidence of a decision that it has not spoken of yet, and records both. It comes
 * after everything that acts: a chain that is slow, wrong or down delays and changes nothing (S12). After a crash in
 * between, the next tick asks it.
 */
export async function argue(incident: Incident, { parts, caseFile, save }: Pursuit): Promise<void> {
  const last = incident.timeline.findLast(({ event }) => event.startsWith(DECIDED) || event.startsWith(CHAIN));
  if (last === undefined || last.event.startsWith(CHAIN)) return;
  try {
    const chain = await parts.reason(incident, caseFile);
    await parts.ledger.append({
      kind: "chain.finished",
      incidentId: incident.id,
      planId: null,
      actor: "watch",
      body: chain.body,
    });
    const said = note(incident, caseFile.at, `${CHAIN}${chain.agrees ? "agrees" : "disagrees"}`, chain.summary);
    await save({ ...said, usage: addUsage(incident.usage, chain.usage) });
  } catch (error) {
    const because = error instanceof Error ? error.message : String(error);
    await save(note(incident, caseFile.at, `${CHAIN}failed`, because));
    const text = `the reasoning chain of incident ${incident.id} failed and changes nothing: ${because}`;
    parts.emit({ at: caseFile.at, event: "tick.failed", text, incident });
  }
}

function addUsage(a: Incident["usage"], b: Incident["usage"]): Incident["usage"] {
  return {
    inputTokens: a.inputTokens + b.inputTokens,
    outputTokens: a.outputTokens + b.outputTokens,
    toolCalls: a.toolCalls + b.toolCalls,
  };
}
