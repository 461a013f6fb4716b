import type { AllFenced } from "./fenced.ts";
import type { Incident } from "./incident.ts";
import { type AnswerFence, fenceFor, namesIn, SAID } from "./sentence-fence.ts";
import { name, quote, unmarked } from "./untrusted-text.ts";

/** Fields of an incident whose words are ours or the configuration's, and no names from outside. */
const OURS = new Set([
  ...[
    "stage",
    "kind",
    "verdict",
    "state",
    "outcome",
    "action",
    "rule",
    "level",
    "unit",
    "detector",
    "metric",
    "result",
  ],
  ...["policy", "text", "basis", "hash", "planHash"],
]);
const OURS_OR_SAID = new Set([...OURS, ...SAID]);

/**
 * An incident on its way out, as the ledger holds it: every text in it is fenced (S11), its names, what its sentences
 * say of them and quote, and what executors and people said. `fence` is for what was made of it in words.
 */
export function fencedIncident(incident: Incident): {
  readonly incident: AllFenced<Incident>;
  readonly fence: AnswerFence;
} {
  // What the ledger does not know to be a name is no word of ours: unlike in an answer, nothing passes for one.
  const fence = fenceFor(namesIn(incident, OURS_OR_SAID), (text, key) => (OURS.has(key) ? unmarked(text) : name(text)));
  const { plan } = incident;
  // The watch gives its reasons in sentences of ours; whoever else proposes writes what they like.
  const given = plan === null || plan.proposedBy === "watch" ? plan : { ...plan, reason: quote(plan.reason, 600) };
  return { incident: fence.fence({ ...incident, plan: given }), fence };
}
