import type { CaseFile } from "../../core/model/assessment.ts";
import type { Incident } from "../../core/model/incident.ts";
import type { WatchEvent } from "./events.ts";
import { note } from "./incident-state.ts";
import type { WatchParts } from "./ports.ts";
import { tell } from "./tell.ts";

/** What one step of an incident works with. */
export interface Pursuit {
  readonly parts: WatchParts;
  readonly caseFile: CaseFile;
  /** Services in trouble now. */
  readonly inTrouble: ReadonlySet<string>;
  readonly save: (incident: Incident) => Promise<void>;
  readonly abort: AbortSignal;
}

/** Raises it to people, by the targets that the policies in force name; said on the terminal in any case. */
export async function escalate(incident: Incident, pursuit: Pursuit, headline: string): Promise<Incident> {
  await tell(incident, pursuit.parts, headline, pursuit.caseFile.at);
  const next = note(incident, pursuit.caseFile.at, "escalated", headline);
  emit(pursuit, "incident.escalated", headline, next);
  return next;
}

export function emit({ parts }: Pursuit, event: WatchEvent["event"], text: string, incident: Incident): void {
  parts.emit({ at: parts.clock.now(), event, text, incident });
}
