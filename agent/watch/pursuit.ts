import type { CaseFile } from "../../core/model/assessment.ts";
import type { Incident, Told } from "../../core/model/incident.ts";
import { asItStands } from "../../core/model/recorded.ts";
import type { Claims, Earlier } from "./earlier.ts";
import type { WatchEvent } from "./events.ts";
import { note } from "./incident-state.ts";
import type { WatchParts } from "./ports.ts";
import { withPresent } from "./present.ts";
import { tell } from "./tell.ts";

/** What one evaluation works with. */
export interface Evaluation {
  readonly parts: WatchParts;
  readonly caseFile: CaseFile;
  /** Writes a new incident. */
  readonly begin: (incident: Incident) => Promise<void>;
  /** Changes another open incident, whatever is on its way for it; nothing where it is closed. Safe to repeat. */
  readonly amend: (id: string, change: (incident: Incident) => Incident) => Promise<void>;
  /** Does a step of an open incident, unless one is on its way. What fails is said; what is late goes on beside the rest. */
  readonly step: (id: string, work: (incident: Incident, pursuit: Pursuit) => Promise<void>) => Promise<void>;
  /** The degraded services that an incident without a plan or act is judged by; undefined: none of its own is degraded. */
  readonly home: (id: string) => readonly string[] | undefined;
  /** Whether a part of the open incident is apart from the rest, and leaves unless they are found together again. */
  readonly isParting: (id: string) => boolean;
  readonly earlier: Earlier;
  readonly claims: Claims;
  /** Ids of changes that an incident has blamed. */
  readonly named: ReadonlySet<string>;
  readonly abort: AbortSignal;
  /** Incidents that are open at this moment, oldest first. */
  readonly open: () => readonly Incident[];
}

/** What one step of an incident works with. */
export interface Pursuit extends Evaluation {
  /** Saves the step's own incident, together with what changed it meanwhile. */
  readonly save: (incident: Incident) => Promise<void>;
}

/** The timeline's line of what people were told. */
export const ESCALATED = "escalated";

/**
 * Raises it to people, by the targets that the policies in force name; said on the terminal in any case. Each headline
 * is told once an incident: what comes and goes wakes nobody twice.
 */
export async function escalate(
  incident: Incident,
  pursuit: Evaluation,
  headline: string,
  told?: Told,
): Promise<Incident> {
  if (incident.timeline.some(({ event, detail }) => event === ESCALATED && detail === headline)) return incident;
  return page(incident, pursuit, headline, told);
}

/** The same, whether they were told so before or not. */
export async function page(incident: Incident, pursuit: Evaluation, headline: string, told?: Told): Promise<Incident> {
  await tell(asItStands(withPresent(incident, pursuit)), pursuit.parts, headline, pursuit.caseFile.at);
  return raised(incident, pursuit, headline, told);
}

/** What is raised to people, in the record and on the terminal; who notifies them does so by the record. */
export function raised(incident: Incident, pursuit: Evaluation, headline: string, told?: Told): Incident {
  const next = note(withPresent(incident, pursuit), pursuit.caseFile.at, ESCALATED, headline, told);
  emit(pursuit, "incident.escalated", headline, next);
  return next;
}

export function emit({ parts }: Evaluation, event: WatchEvent["event"], text: string, incident: Incident): void {
  parts.emit({ at: parts.clock.now(), event, text, incident });
}
