import type { CaseEvidence } from "../correlation/rank.ts";
import { POSITIVE_NATS, tellsItsVersion } from "../correlation/version-signs.ts";
import type { Candidate } from "../model/candidate.ts";
import type { Change } from "../model/change.ts";

/** Reasons that hold whatever came of the change: that it is one, when it was made, and where. */
const CIRCUMSTANCES: ReadonlySet<string> = new Set(["prior", "timing", "place", "demand"]);

/**
 * The callee of a changed service that speaks for a change which nothing but its circumstances accuses, in words, or null: one that is degraded
 * itself, where what is degraded fits three times as well (positive evidence) as where the change was made, and whose requests
 * nobody counts. A service that asks too much of its callee shows the same, and only those counts tell one from the other. Pure.
 */
export function degradedBeneath(change: Change, { reasons }: Candidate, evidence: CaseEvidence): string | null {
  const { origins, graph, harm, index } = evidence;
  if (tellsItsVersion(change, reasons, evidence)) return null;
  const signs = reasons.reduce((sum, { name, logOdds }) => sum + (CIRCUMSTANCES.has(name) ? 0 : logOdds), 0);
  if (signs >= POSITIVE_NATS) return null;
  const callees = graph.callees(change.service);
  const fitOf = (service: string) => Math.max(...origins.flatMap((one) => (one.name === service ? [one.fit] : [])));
  const best = [...callees]
    .filter((one) => one !== change.service && (harm.get(one) ?? 0) >= POSITIVE_NATS)
    .filter((one) => index.whole(one, "request_rate") === undefined)
    .toSorted((a, b) => fitOf(b) - fitOf(a))[0];
  if (best === undefined || fitOf(best) - fitOf(change.service) < POSITIVE_NATS) return null;
  return `${best}, which ${change.service} calls, is degraded itself, and nobody counts whether it is asked more`;
}
