import { isCompared } from "../../core/model/candidate.ts";
import { changeName, undoneName } from "../../core/model/change-name.ts";
import { actionOf, originOf, takenBackIds } from "../../core/model/deed.ts";
import { type Incident, QUIET_SINCE } from "../../core/model/incident.ts";
import { likelihood } from "../../core/model/likelihood.ts";
import { likeliestOf } from "../../core/model/recorded.ts";
import { noChangeText } from "../../core/model/unheard.ts";

/** A pause's scope as people say it: the gate's "*" would be eaten by a shell. */
export function scopeText(scope: string): string {
  return scope === "*" ? "all" : scope;
}

/**
 * What was decided, of which change and how surely; of no action, which change is the likeliest all the same; what was carried
 * out though it was not decided, with what was. null: nothing yet.
 */
export function decisionWords(
  incident: Pick<Incident, "decision" | "ranking" | "gate" | "plan" | "changes">,
): string | null {
  const named = (id: string): string => undoneName(id, incident.changes);
  const action = actionOf(incident);
  if (action === null) return null;
  const decided = incident.decision?.action ?? "nothing";
  const origin = originOf(incident);
  const taken = takenBackIds(incident).map(named).join(", ");
  if (origin === "asked") return `${action} of ${taken}, as a person asked; decided was ${decided}`;
  if (origin === "proposed")
    return `${action} of ${taken}, as unship proposed on an earlier decision; decided since is ${decided}`;
  const culprit = likeliestOf(incident);
  if (culprit === null) return action;
  const likeliest = `${named(culprit.changeId)} (${likelihood(culprit.probability)})`;
  return action === "no_action"
    ? `${action}; the likeliest is ${changeName(culprit.changeId, incident.changes)} (${likelihood(culprit.probability)})`
    : `${action} of ${likeliest}`;
}

/** What a person can do about an incident that is left to people: nothing is done of itself any more. */
export function residualNext({ id, service }: Pick<Incident, "id" | "service">): readonly string[] {
  return [
    "needs a person to investigate: unship watches its signals and does not act on it again",
    `unship investigate --service ${service}`,
    `unship ack ${id}`,
  ];
}

/** The same about an open incident for which nothing is rolled back; none where its signals are back already, or something is to come. */
export function undecidedNext(incident: Incident): readonly string[] {
  const { id, service, stage, decision, ranking, unheard, timeline } = incident;
  if (stage !== "investigated" || decision?.action !== "no_action" || ranking === null) return [];
  if (timeline.some(({ event }) => event === QUIET_SINCE)) return [];
  const why = !isCompared(ranking)
    ? "the culprit is not determined"
    : likeliestOf(incident) === null
      ? `${noChangeText(unheard)} is the culprit (${likelihood(ranking.noChangeProbability)})`
      : "no change is sure enough to be rolled back";
  return [`${why}: needs a person to investigate`, `unship investigate --service ${service}`, `unship ack ${id}`];
}
