import type { CaseFile } from "../model/assessment.ts";
import type { Change } from "../model/change.ts";
import type { Onset } from "../model/finding.ts";
import { ORDINARY_ROLLOUT_MS } from "./timing.ts";

/** Changes of these services that were rolling out at the onset, or had been over for no longer than a rollout takes. Pure. */
export function changesAt(
  { changes, at }: Pick<CaseFile, "changes" | "at">,
  services: readonly string[],
  onset: Onset,
): readonly Change[] {
  return changes.filter(
    (change) =>
      services.includes(change.service) &&
      change.ownRollback !== true &&
      change.startedAt <= onset.latest &&
      (change.finishedAt ?? at) + ORDINARY_ROLLOUT_MS >= onset.earliest,
  );
}

/** For how long these changes would explain an onset, ms: see `changesAt`; 0 for none. Pure. */
export function explainedBy(changes: readonly Change[], at: number): number {
  const from = Math.min(...changes.map(({ startedAt }) => startedAt));
  const until = Math.max(...changes.map(({ finishedAt }) => (finishedAt ?? at) + ORDINARY_ROLLOUT_MS));
  return changes.length === 0 ? 0 : until - from;
}
