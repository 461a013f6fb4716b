import type { Candidate, Reason } from "../model/candidate.ts";
import type { Change } from "../model/change.ts";
import type { Finding } from "../model/finding.ts";
import { linesByVersion } from "./lines-by-version.ts";
import { endOf, shapeNats } from "./passing.ts";
import type { CaseEvidence } from "./rank.ts";
import { readinessByVersion } from "./readiness-by-version.ts";

/** Reasons that compare both versions while both serve. */
const SIDE_BY_SIDE: ReadonlySet<string> = new Set(["versions", "canary"]);

/**
 * What compares the versions must be strong evidence, twenty to one: both alike show as much by chance in at most one
 * rollout of twenty (Markov's inequality), three to one in one of three. That something grows with the rollout compares
 * nothing, and is asked anew with each sample: it must be very strong evidence, a hundred and fifty to one.
 * @see Kass & Raftery (1995), "Bayes Factors", J. Am. Stat. Assoc. 90(430):773–795, §3.2
 */
const STRONG_NATS = Math.log(20);
const VERY_STRONG_NATS = Math.log(150);
export const POSITIVE_NATS = Math.log(3);

/**
 * What fails elsewhere also grows at first: cached names and connections run out within half a minute, two or three health
 * checks of ten seconds take a pod out, and clients give up after as long. Growth tells a version only where it was
 * followed through the rollout for twice the minute in which such failures reach their size.
 */
const FOLLOWED_MS = 120_000;

/** A key of several words names its flag alone; one word ("auth", "ledger") may stand in any line. */
const COMPOUND = /[A-Za-z0-9][-_.:][A-Za-z0-9]/;

/** The evidence that tells versions apart, beside the reasons of a change. */
export type SeenOfVersions = Pick<CaseEvidence, "caseFile" | "onset" | "signatures" | "index" | "worse">;

/**
 * Whether anything tells the version that a change brought from the one before it, beside its time and place: both
 * measured side by side, lines that it alone writes while both serve, a new error that names the flag, growth with the
 * rollout where that was followed for long enough, or a new revision that does not become ready. Where it is not known what a service calls,
 * a deploy beside the failure of something that nobody measures looks the same in everything else. Pure.
 */
export function tellsItsVersion(change: Change, reasons: readonly Reason[], seen: SeenOfVersions): boolean {
  return isUnready(change, seen.caseFile.findings) || tellsBesideItsStart(change, reasons, seen);
}

/**
 * The same without regard to whether pods of the new revision become ready. Where nodes are drained or lost, these are the
 * pods that start, and wait for a node whatever is in them. Pure.
 */
export function tellsBesideItsStart(change: Change, reasons: readonly Reason[], seen: SeenOfVersions): boolean {
  if (isToldSideBySide(change, reasons, seen)) return true;
  const { onset, caseFile } = seen;
  const followedMs = Math.min(endOf(change, seen) ?? caseFile.at, caseFile.at) - onset.latest;
  const follows = ({ name, logOdds }: Reason) =>
    (name === "logs" && change.flag !== undefined && COMPOUND.test(change.flag)) ||
    (name === "growth" && followedMs >= FOLLOWED_MS && logOdds >= shapeNats(VERY_STRONG_NATS, "bad"));
  return reasons.some(follows) && nats(reasons, (one) => follows(one) || comparing(one)) >= POSITIVE_NATS;
}

/** Whether the versions differ where both serve: by their signals, by lines that the new one alone writes, by their readiness. */
export function isToldSideBySide(change: Change, reasons: readonly Reason[], seen: SeenOfVersions): boolean {
  const byVersion = linesByVersion(change, seen.signatures, seen.index) + readinessByVersion(change, seen.index);
  return nats(reasons, comparing) + byVersion >= STRONG_NATS;
}

/** More than its share of the requests compares them as well. */
const comparing = ({ name }: Reason): boolean => SIDE_BY_SIDE.has(name) || name === "share";

const nats = (reasons: readonly Reason[], counts: (reason: Reason) => boolean): number =>
  reasons.reduce((sum, one) => sum + (counts(one) ? one.logOdds : 0), 0);

/**
 * Whether the pods of the revision that the change brought do not become ready. That pods of the service are unready says
 * nothing by itself: a lost node, or a probe that asks a callee, takes those of any version.
 */
function isUnready(change: Change, findings: readonly Finding[]): boolean {
  return findings.some(
    ({ detector, service, verdict, onset }) =>
      detector === "rollout" &&
      verdict === "worse" &&
      service === change.service &&
      onset !== null &&
      onset.latest >= change.startedAt,
  );
}

/** Ids of the changes whose new version is seen to be worse than the old one that serves beside it. Pure. */
export function seenByVersion(candidates: readonly Candidate[]): ReadonlySet<string> {
  const found = candidates.filter(({ reasons }) =>
    reasons.some(({ name, logOdds }) => SIDE_BY_SIDE.has(name) && logOdds >= STRONG_NATS),
  );
  return new Set(found.map(({ changeId }) => changeId));
}
