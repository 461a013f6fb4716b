import type { Approval } from "../../core/guardrails/gate-store.ts";

/** Decisions by which something is rolled back. */
const ACTS: readonly string[] = ["rollback", "feature_flag_disable"];

/**
 * Whether a yes that could not be used at once was given while the gate itself decided to roll something back, and by now it decides
 * otherwise: what whoever ends a pause lets go must be what somebody was asked about (S4, S6). A yes that nothing held up counts
 * whatever the signals do since, and so does one that overruled the gate's decision from the start. `decided`: what the gate
 * decides now; null: it has no evidence to decide by, which overturns nothing.
 */
export const isOverturned = ({ answer, decided: then, isDeferred }: Approval, decided: string | null): boolean =>
  answer === "approve" &&
  isDeferred === true &&
  then != null &&
  ACTS.includes(then) &&
  decided !== null &&
  !ACTS.includes(decided);

/** Why a yes does not count any more, a sentence for each person; empty: none was overturned. */
export const whyOverturned = (approvals: readonly Approval[], decided: string | null): readonly string[] =>
  approvals.flatMap((one) =>
    isOverturned(one, decided)
      ? [
          `${one.by} approved when the gate's own decision was ${one.decided}; it was denied then, and the decision is ${decided} now`,
        ]
      : [],
  );
