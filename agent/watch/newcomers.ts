import type { Assessment, CaseFile } from "../../core/model/assessment.ts";
import type { Change } from "../../core/model/change.ts";
import { nameOfChange } from "../../core/model/change-name.ts";
import type { Onset } from "../../core/model/finding.ts";
import { durationText } from "../../core/model/time.ts";
import { worse } from "./incident-state.ts";
import type { Moved } from "./moved-on.ts";

/**
 * How long after its end a change, and after its onset what began later than a plan or act, is asked about anew at each
 * look, while trouble that people know of hides what it may be: the window of changes in the example configuration. Whatever
 * breaks later is found once that trouble is over.
 */
const NEW_FOR_MS = 30 * 60_000;

/**
 * Changes by others that a plan or act of a moment (`since`, Unix ms) says nothing of, and that no incident has blamed:
 * those that began after it; and where one of these services is degraded by what began after it, those before it as well,
 * since no sample of what they do to it had been seen then. `named`: ids of changes that an incident has blamed. Pure.
 */
export function newcomers(
  since: number,
  services: readonly string[],
  caseFile: Pick<CaseFile, "changes" | "findings" | "at">,
  named: ReadonlySet<string>,
): readonly Change[] {
  const { changes, at } = caseFile;
  const isLate = beganAfter(since, services, caseFile);
  return changes.filter(({ id, aliases = [], startedAt, finishedAt, ownRollback }) => {
    if (ownRollback === true || startedAt > at || [id, ...aliases].some((one) => named.has(one))) return false;
    return startedAt > since ? at - (finishedAt ?? at) <= NEW_FOR_MS : isLate;
  });
}

/** Whether something that is degraded at one of these services began after a moment, and lately. */
const beganAfter = (
  since: number,
  services: readonly string[],
  { findings, at }: Pick<CaseFile, "findings" | "at">,
): boolean =>
  worse(findings).some(
    ({ service, onset }) =>
      services.includes(service) && onset !== null && onset.at > since && at - onset.latest <= NEW_FOR_MS,
  );

/** What an assessment says of the newcomers to a plan or act of a moment. */
export interface Newcomer {
  readonly change: Change;
  /** The decision is to act upon it, or to have people act; else it is the likeliest change, and no more. */
  readonly isBlamed: boolean;
  /** When what is degraded began. */
  readonly onset: Onset | null;
}

/**
 * The newcomer that an assessment finds likelier than no change; undefined: none. One that began before the moment counts
 * only where the trouble began after it. Pure.
 */
export function likeliestNewcomer(
  { decision: { action, culprit }, answers }: Pick<Assessment, "decision" | "answers">,
  among: readonly Change[],
  since: number,
): Newcomer | undefined {
  const change = among.find(({ id }) => id === culprit?.changeId);
  const onset = answers.identify_recent_deployments?.onset ?? null;
  if (change === undefined) return undefined;
  if (change.startedAt <= since && (onset === null || onset.at <= since)) return undefined;
  return { change, isBlamed: action !== "no_action", onset };
}

/**
 * What a newcomer is to an incident that was planned or acted on, `since`: a service that speaks of that no longer.
 * `isPlanned`: nothing was done yet.
 */
export function movedBy({ change, onset }: Newcomer, since: number, incidentId: string, isPlanned: boolean): Moved {
  const { author, service, startedAt } = change;
  const by = author === undefined ? "" : ` by ${author}`;
  const from = isPlanned ? "the plan" : "the act";
  const when = `${durationText(Math.abs(startedAt - since))} ${startedAt > since ? "after" : "before"} ${from}`;
  const late = startedAt > since || onset === null ? "" : `, with a degradation that began after ${from}`;
  return {
    service,
    what: `${nameOfChange(change)}${by} changed ${service} ${when}${late}, and is investigated in ${incidentId}`,
  };
}

/** What people hear of a newcomer that is the likeliest change, and is not undone: once for each. */
export const suspectText = ({ change }: Newcomer): string =>
  `${nameOfChange(change)} is suspected of what began after the act, and is not undone by itself: needs a person to investigate.`;
