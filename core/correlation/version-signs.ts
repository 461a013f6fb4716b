import type { Candidate, Reason } from "../model/candidate.ts";
import type { Change } from "../model/change.ts";
import type { Finding } from "../model/finding.ts";

/** Reasons that tell the new version from the old one: errors or latency by version, lines new in its logs, growth with its share. */
const TELLING: ReadonlySet<string> = new Set(["versions", "logs", "growth", "share", "canary"]);

/**
 * What tells the versions apart must be positive evidence: more than three to one.
 * @see Kass & Raftery (1995), "Bayes Factors", J. Am. Stat. Assoc. 90(430):773–795, §3.2
 */
const POSITIVE_NATS = Math.log(3);

/**
 * Whether anything tells the version that a change brought from the one before it, beside its time and place: what its
 * reasons say together, or its own pods that do not become ready. Where it is not known what a service calls, a deploy
 * beside the failure of something that nobody measures looks the same in everything else.
 */
export function tellsItsVersion(change: Change, reasons: readonly Reason[], findings: readonly Finding[]): boolean {
  const stuck = findings.some(
    ({ detector, service, verdict, onset }) =>
      detector === "rollout" &&
      verdict === "worse" &&
      service === change.service &&
      onset !== null &&
      onset.latest >= change.startedAt,
  );
  const nats = reasons.reduce((sum, { name, logOdds }) => sum + (TELLING.has(name) ? logOdds : 0), 0);
  return stuck || nats >= POSITIVE_NATS;
}

/** Evidence of 20 to 1 is the least that counts as seen. */
const SEEN_NATS = Math.log(20);
/** Reasons that compare both versions while both serve. */
const SIDE_BY_SIDE: ReadonlySet<string> = new Set(["versions", "canary"]);

/** Ids of the changes whose new version is seen to be worse than the old one that serves beside it. Pure. */
export function seenByVersion(candidates: readonly Candidate[]): ReadonlySet<string> {
  const found = candidates.filter(({ reasons }) =>
    reasons.some(({ name, logOdds }) => SIDE_BY_SIDE.has(name) && logOdds >= SEEN_NATS),
  );
  return new Set(found.map(({ changeId }) => changeId));
}
