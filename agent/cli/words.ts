import { likelihood } from "../../core/guardrails/incident-text.ts";
import type { Decision } from "../../core/model/decision.ts";
/** A pause's scope as people say it: the gate's "*" would be eaten by a shell. */
export function scopeText(scope: string): string {
  return scope === "*" ? "all" : scope;
}

/** What was decided, of which change and how surely; of no action, which change is the likeliest all the same. */
export function decisionWords({ action, culprit }: Pick<Decision, "action" | "culprit">): string {
  if (culprit === null) return action;
  const named = `${culprit.changeId} (${likelihood(culprit.probability)})`;
  return action === "no_action" ? `${action}; the likeliest is ${named}` : `${action} of ${named}`;
}
