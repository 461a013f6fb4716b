import type { Change } from "../model/change.ts";
import type { PastOutcomes } from "./rank.ts";

/**
 * Log odds of one change against an average one, before anything is seen: bigger changes are riskier, weakly, and
 * what was to blame before may be again. Bounded by a factor of about 1.5 and of e each way.
 * @see Kamei et al. (2013), IEEE TSE 39(6):757–773: size is among the strongest predictors of defect-inducing changes
 */
export function priorNats(change: Change, reliedOnBy: readonly Change[], past?: PastOutcomes): number {
  const lines = change.diff === undefined ? null : change.diff.insertions + change.diff.deletions;
  const size = lines === null ? 0 : Math.max(-0.4, Math.min(0.4, 0.15 * Math.log((lines + 10) / 300)));
  const seen = past?.get(`${change.service}/${change.kind}`);
  // One bad change in ten is expected (change failure rate of ordinary teams); the prior weighs ten changes.
  const memory = seen === undefined ? 0 : Math.log((seen.bad + 1) / (seen.changes + 10) / 0.1);
  // A changed contract on which a consumer came to rely within the same window is a known way to break: weighed threefold.
  const contract = reliedOnBy.length > 0 ? Math.log(3) : 0;
  return size + contract + Math.max(-1, Math.min(1, memory));
}
