import type { CaseFile } from "../../core/model/assessment.ts";
import type { Change } from "../../core/model/change.ts";
import type { Decision } from "../../core/model/decision.ts";
import { durationText } from "../../core/model/time.ts";
import type { Moved } from "./moved-on.ts";

/**
 * How long after its end a change is asked about anew at each look, while trouble that people know of hides what it may
 * have done: the window of changes in the example configuration. Whatever it breaks later is found once that trouble is over.
 */
const NEW_FOR_MS = 30 * 60_000;

/**
 * Changes by others that began after a moment (Unix ms) and that no incident has spoken of: what is known of a trouble
 * says nothing of them. `named`: ids of changes that an incident has blamed. Pure.
 */
export function newcomers(
  since: number,
  { changes, at }: Pick<CaseFile, "changes" | "at">,
  named: ReadonlySet<string>,
): readonly Change[] {
  return changes.filter(
    (change) =>
      change.ownRollback !== true &&
      change.startedAt > since &&
      change.startedAt <= at &&
      at - (change.finishedAt ?? at) <= NEW_FOR_MS &&
      !named.has(change.id),
  );
}

/** The newcomer that a decision to act, or to have people act, blames; undefined: it blames none of them. Pure. */
export function blamedNewcomer({ action, culprit }: Decision, among: readonly Change[]): Change | undefined {
  return action === "no_action" ? undefined : among.find(({ id }) => id === culprit?.changeId);
}

/**
 * What a newcomer is to an incident that was planned or acted on before it, `since`: a service that speaks of that no
 * longer. `isPlanned`: nothing was done yet.
 */
export function movedBy(
  { id, author, service, startedAt }: Change,
  since: number,
  incidentId: string,
  isPlanned: boolean,
): Moved {
  const by = author === undefined ? "" : ` by ${author}`;
  const after = `${durationText(Math.max(0, startedAt - since))} after the ${isPlanned ? "plan" : "act"}`;
  return { service, what: `${id}${by} changed ${service} ${after}, and is looked at in ${incidentId}` };
}
