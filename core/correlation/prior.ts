import type { Change } from "../model/change.ts";
import { type PastOutcomes, pastKey } from "./past-outcomes.ts";

/**
 * Of Google's outages of 2010 to 2017, 37 % were triggered by pushes of binaries and 31 % by pushes of configuration,
 * though configuration is pushed at least as often: a change of it (a flag is one) is the less likely culprit, by no less
 * than this. Of changes of a schema no such figure is known: they count like deploys.
 * @see Beyer et al. (2018), The Site Reliability Workbook, appendix C, table C-1; Tang et al. (2015), SOSP, for how often
 *   configuration is changed
 */
const KIND_NATS: Readonly<Record<Change["kind"], number>> = {
  deploy: 0,
  config: Math.log(31 / 37),
  flag: Math.log(31 / 37),
  migration: 0,
};

/** One bad change in ten is expected: the change failure rate of ordinary teams. */
export const BAD_CHANGE = 0.1;
/** The prior of what came of earlier changes weighs ten of them. */
const PRIOR_CHANGES = 10;

/**
 * Log odds of one change against an average one, before anything is seen: bigger changes are riskier, weakly,
 * deploys a little more than configuration, and what was to blame before may be again. Bounded by a factor of about 1.5 and of e each way.
 * @see Kamei et al. (2013), IEEE TSE 39(6):757–773: size is among the strongest predictors of defect-inducing changes
 */
export function priorNats(change: Change, reliedOnBy: readonly Change[], past?: PastOutcomes): number {
  const lines = change.diff === undefined ? null : change.diff.insertions + change.diff.deletions;
  const size = lines === null ? 0 : Math.max(-0.4, Math.min(0.4, 0.15 * Math.log((lines + 10) / 300)));
  const seen = past?.get(pastKey(change.service, change.kind));
  const memory =
    seen === undefined
      ? 0
      : Math.log((seen.bad + BAD_CHANGE * PRIOR_CHANGES) / (seen.changes + PRIOR_CHANGES) / BAD_CHANGE);
  // A changed contract on which a consumer came to rely within the same window is a known way to break: weighed threefold.
  const contract = reliedOnBy.length > 0 ? Math.log(3) : 0;
  return KIND_NATS[change.kind] + size + contract + Math.max(-1, Math.min(1, memory));
}
