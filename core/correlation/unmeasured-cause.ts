import { logSumExp } from "../detection/robust.ts";
import type { Coincidence } from "../model/assessment.ts";
import type { Reason } from "../model/candidate.ts";
import type { Change } from "../model/change.ts";
import { type SeenOfCallees, unseenCallees } from "./callees-seen.ts";
import type { CaseEvidence } from "./rank.ts";
import { FROM_CHANGES } from "./reasons.ts";
import { answersAlong, mayBeLoaded } from "./surge.ts";
import { type SeenOfVersions, tellsItsVersion } from "./version-signs.ts";

/** A change with why it may be at fault. */
export interface Weighed {
  readonly change: Change;
  readonly reasons: readonly Reason[];
  readonly logOdds: number;
}

/**
 * That something of which nothing is measured at that time failed beneath a changed service, as part of "no change": where
 * it is not known what the service calls, or one of those that it calls was not seen since the onset (`unseenCallees`), and
 * nothing tells the new version from the old one, a callee or an external that fails at that instant shows the same.
 * Timing is then worth no more than what is known without it: seven outages in ten follow a change (`FROM_CHANGES`), so
 * that the change alone never becomes surer than that. So it is where a service is asked far more since the onset than it ever
 * served (`demand`), or more and answers more of it (`mayBeLoaded`), also as more users come (`surge`): load that comes from elsewhere shows the same. Whom a change
 * fails may ask again, but that raises no count of what is answered. Null where each of the changes is told by its version, its service
 * is not degraded itself, or all that it calls was seen. Pure.
 */
export function unmeasuredCause(
  weighed: readonly Weighed[],
  seen: SeenOfVersions & SeenOfCallees & Pick<CaseEvidence, "demand" | "surge">,
): Reason | null {
  const isLoaded = (service: string): boolean =>
    seen.demand.has(service) ||
    mayBeLoaded(seen.index, service, seen.onset, seen.caseFile.at) ||
    (seen.surge !== null && answersAlong(seen.index, service, seen.onset, seen.caseFile.at));
  const untold = weighed
    .filter(({ change, reasons }) => seen.worse.has(change.service) && !tellsItsVersion(change, reasons, seen))
    .map((one) => ({ ...one, unseen: unseenCallees(one.change, seen) }))
    .filter(({ change, unseen }) => unseen === null || unseen.length > 0 || isLoaded(change.service));
  if (untold.length === 0) return null;
  const logOdds = logSumExp(untold.map((one) => one.logOdds)) + Math.log((1 - FROM_CHANGES) / FROM_CHANGES);
  const gaps = new Set(untold.map(({ change, unseen }) => gapAt(change.service, unseen, seen.surge !== null)));
  const sentence = `${[...gaps].join("; ")}; too little tells the new version from the old one: that may be the cause as well`;
  return { name: "unmeasured-callee", logOdds, sentence };
}

/** What beside its version may ail a changed service: what it calls, or that it is asked more, by users (`surge`) or by nobody knows whom. */
function gapAt(service: string, unseen: readonly string[] | null, surge: boolean): string {
  if (unseen?.length !== 0) return calleesGap(service, unseen);
  return surge ? `more users come, and ${service} answers more` : `why ${service} is asked so much more is not known`;
}

/** What is not known of those that a service calls, in words. `unseen` as `unseenCallees` gives it, not empty. */
export const calleesGap = (service: string, unseen: readonly string[] | null): string =>
  unseen === null
    ? `what ${service} calls is not known`
    : `whether what ${service} calls is healthy since the onset is not known (${unseen.join(", ")})`;

/** Onsets are compared over the same window as a change's own: see `timingEvidence`. */
const LEAST_WIDTH_MS = 1000;

/**
 * A wide cause reaches a share of the services that nobody knows, every share alike: this one as often as not. How many others
 * are measured and well tells nothing of it: zones, pools and providers do not draw whom they serve by lot.
 */
const REACHES_NATS = -Math.LN2;

/**
 * That a wide cause, which others show at this very onset, reached this service too (`REACHES_NATS`), at that onset and no other
 * moment of the window. `theirs`: what is known of changes of the others, in words.
 * Log odds beside the fit of a cause at the services themselves. Null without one. Pure.
 */
export function wideCauseReason(
  coincidence: Coincidence | undefined,
  fit: number,
  { stepMs, windowMs, theirs }: { readonly stepMs: number; readonly windowMs: number; readonly theirs: string },
): Reason | null {
  if (coincidence === undefined) return null;
  const { services, measured, onset } = coincidence;
  const width = Math.max(LEAST_WIDTH_MS, onset.latest - onset.earliest + 2 * stepMs);
  const logOdds = REACHES_NATS + Math.log(Math.max(1, windowMs / width)) + fit;
  const sentence = `${services} of ${measured} measured services were degraded at the same onset, ${theirs}`;
  return { name: "onset-coincidence", logOdds, sentence };
}
