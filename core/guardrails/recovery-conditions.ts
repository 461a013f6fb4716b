import type { ConditionState } from "../model/finding.ts";
import type { Recovery } from "../model/incident.ts";

/** `momentary`: unknown because of what may pass within moments, data that is late or a condition's own window. */
export type Found = Recovery["checks"][number] & {
  readonly momentary?: boolean;
  /** A part of the time since the act was not measured. */
  readonly isPartly?: boolean;
};

/** What is known of a signal beside its conditions. */
export interface Known {
  /** Whether its own samples are back inside their baseline. */
  isBack(service: string, metric: string): boolean;
  /** Whether it was measured before: then its silence now is a loss, and else a condition on it says nothing. */
  isMeasured(service: string, metric: string): boolean;
  /** Whether a sample of then speaks of the time since the act, and of now. */
  isCurrent(at: number): boolean;
}

/**
 * What the policies' conditions say of a recovery, one check for each that speaks against it: while one holds or is pending,
 * nothing has recovered, since people wrote down what they call bad. What its newest sample said before the act, or long ago,
 * says nothing of now. Where the signal's own samples are back and its
 * condition holds all the same, two readings of one thing disagree, and nobody knows (S9). Pure.
 */
export function conditionChecks(conditions: readonly ConditionState[], known: Known): readonly Found[] {
  return conditions.flatMap((one) => {
    const said = against(one, known);
    return said === null ? [] : [{ service: one.service, metric: one.metric, ...said }];
  });
}

function against(
  { service, metric, state, text, asOf, because }: ConditionState,
  { isBack, isMeasured, isCurrent }: Known,
): Pick<Found, "verdict" | "because" | "momentary"> | null {
  const unknown = (what: string) => ({ verdict: "unknown" as const, because: `${what}: ${because}`, momentary: true });
  if (state === "inactive" || (state === "unknown" && !isMeasured(service, metric))) return null;
  if (state === "unknown") return unknown(`it is unknown whether the condition ${text} holds`);
  if (asOf !== undefined && !isCurrent(asOf)) {
    return unknown(`it is unknown whether the condition ${text} still holds, no sample has come since it did`);
  }
  if (state === "pending") return unknown(`the condition ${text} is pending`);
  return isBack(service, metric)
    ? unknown(`inside its baseline, but the condition ${text} still holds`)
    : { verdict: "not-recovered", because: `the condition ${text} holds: ${because}` };
}
