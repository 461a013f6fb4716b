import { replaces } from "../../core/correlation/replaced.ts";
import type { Assessment, CaseFile } from "../../core/model/assessment.ts";
import type { Decision } from "../../core/model/decision.ts";
import type { Incident } from "../../core/model/incident.ts";

/**
 * The decision that people were asked to answer, where the newest assessment decides nothing and yet says nothing
 * against it: the same change is still the likeliest, likelier than none, and only the newest samples look better, or
 * its probability has fallen below what acting asks for; or what is wrong now began only after what was decided upon, and
 * no other change is blamed for it (what leaks is killed, starts again and leaks again). Who mends a thing at night must not
 * be told at every lull that there is nothing to mend. null: the newest decision counts. It is a word to people alone:
 * nothing is executed by it, and a change that somebody has replaced since is blamed no longer. Pure.
 */
export function standingDecision(
  { decision: told, gate, onset }: Pick<Incident, "decision" | "gate" | "onset">,
  { decision, answers }: Pick<Assessment, "decision" | "answers">,
  { changes, at }: Pick<CaseFile, "changes" | "at">,
): Decision | null {
  if (told === null || !isForPeople(told, gate) || decision.action !== "no_action") return null;
  const id = told.culprit?.changeId;
  if (id === undefined || (decision.culprit !== null && decision.culprit.changeId !== id)) return null;
  const newer = answers.identify_recent_deployments?.onset ?? null;
  const isLater = newer !== null && onset !== null && newer.earliest > onset.latest;
  if (decision.culprit === null && !isLater) return null;
  // "Looking again" and "not sure enough" are no evidence against it; whatever else people are told is.
  if (decision.needsPerson.length > 0 && answers.correlate_timing?.reached !== false) return null;
  const change = changes.find((one) => one.id === id);
  const isReplaced = changes.some((other) => change !== undefined && other.startedAt <= at && replaces(other, change));
  return isReplaced ? null : told;
}

/** People are to mend it, or their yes is what it waits for. */
function isForPeople({ action }: Decision, gate: Incident["gate"]): boolean {
  if (action === "hotfix_recommendation") return true;
  return action !== "no_action" && (gate?.outcome === "held" || gate?.outcome === "denied");
}
