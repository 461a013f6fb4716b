import { isCompared, notComparedText } from "../../core/model/candidate.ts";
import type { Incident } from "../../core/model/incident.ts";
import { likelihood } from "../../core/model/likelihood.ts";
import { likeliestOf } from "../../core/model/recorded.ts";
import { code, sentence } from "./markdown.ts";
import { changeWords } from "./names.ts";
import { soFar } from "./open.ts";

/** A change, as the draft names it, with the probability that it is the cause. */
interface Suspect {
  readonly changeId: string;
  readonly probability: number;
}

/**
 * What the draft says of the cause, the same in its title, summary, open questions and follow-ups. `culprit`: the decision names it.
 * `suspected`: the decision names none, and this one is likelier than that none caused it. `not-found`: that none of the changes
 * caused it is likelier; `first`: the change to check all the same. `not-compared`: no change could be compared.
 */
export type Cause =
  | ({ readonly kind: "culprit" | "suspected" } & Suspect)
  | { readonly kind: "not-found"; readonly first: Suspect | null }
  | { readonly kind: "not-compared" };

/** Below it, a change is not worth the first hour of whoever searches for the cause. */
const WORTH_CHECKING = 0.05;

/** Reads what is held of the cause from the record. Pure. */
export function causeOf(incident: Incident): Cause {
  const { ranking, decision } = incident;
  const culprit = decision?.culprit ?? null;
  if (culprit !== null && ranking !== null)
    return { kind: "culprit", changeId: culprit.changeId, probability: culprit.probability };
  if (ranking === null || !isCompared(ranking)) return { kind: "not-compared" };
  const likeliest = likeliestOf(incident);
  if (likeliest !== null) return { kind: "suspected", ...likeliest };
  const [first] = ranking.candidates;
  if (first === undefined || first.probability < WORTH_CHECKING) return { kind: "not-found", first: null };
  return { kind: "not-found", first: { changeId: first.changeId, probability: first.probability } };
}

/** The cause as the summary has it. */
export function causeSentence(incident: Incident): string {
  const cause = causeOf(incident);
  switch (cause.kind) {
    case "culprit":
      return `The most probable cause is ${named(cause.changeId, incident)}, at ${likelihood(cause.probability)}.`;
    case "suspected":
      return `Suspected, though not surely enough to act upon: ${named(cause.changeId, incident)}, at ${likelihood(cause.probability)}.`;
    case "not-compared": {
      const open = soFar(
        incident,
        "What caused it was not determined",
        "What causes it has not been determined so far",
      );
      const why = notComparedText(incident.ranking);
      return why === null ? `${open}.` : `${open}: ${sentence(why)}`;
    }
    case "not-found": {
      const known = incident.unheard?.length === 0 ? "changes" : "known changes";
      const none = likelihood(incident.ranking?.noChangeProbability ?? 0);
      const found = soFar(incident, "was not found", "has not been found so far");
      return `The cause ${found}: the probability that none of the ${known} caused it is ${none}.${checkFirst(incident)}`;
    }
  }
}

/** " Check first: the deploy of …, at 31 %."; empty where no change is worth it. */
export function checkFirst(incident: Incident): string {
  const cause = causeOf(incident);
  if (cause.kind !== "not-found" || cause.first === null) return "";
  return ` Check first: ${named(cause.first.changeId, incident)}, at ${likelihood(cause.first.probability)}.`;
}

function named(id: string, { changes }: Incident): string {
  const change = changes.find((one) => one.id === id);
  return change === undefined ? code(id) : `${changeWords(change)} (${code(id)})`;
}
