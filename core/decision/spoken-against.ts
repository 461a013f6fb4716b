import type { CaseEvidence } from "../correlation/rank.ts";
import { misfitOf } from "../correlation/reasons.ts";
import { POSITIVE_NATS, tellsItsVersion } from "../correlation/version-signs.ts";
import type { Candidate } from "../model/candidate.ts";
import type { Change } from "../model/change.ts";

/** Reasons that hold whatever came of the change: that it is one, when it was made, and where. */
const CIRCUMSTANCES: ReadonlySet<string> = new Set(["prior", "timing", "place", "demand"]);

/**
 * What speaks against a change that nothing but its circumstances accuses, in words, or null: what is hurt fits another place three
 * times as well (positive evidence). It may be the likeliest cause by its time all the same, and an act against what people read of it is
 * theirs. Pure.
 */
export function spokenAgainst(change: Change, { reasons }: Candidate, evidence: CaseEvidence): string | null {
  if (tellsItsVersion(change, reasons, evidence)) return null;
  const signs = reasons.reduce((sum, { name, logOdds }) => sum + (CIRCUMSTANCES.has(name) ? 0 : logOdds), 0);
  if (signs >= POSITIVE_NATS) return null;
  const place = reasons.find(({ name }) => name === "place");
  return place !== undefined && misfitOf(change, place, evidence) >= POSITIVE_NATS ? place.sentence : null;
}
