import { isCompared, NOTHING_TO_COMPARE, type Ranking } from "./candidate.ts";
import type { Impact } from "./impact.ts";
import type { Incident } from "./incident.ts";

/**
 * An incident as a ledger of before holds it, in today's terms (S9): a level that nothing was measured for was written as "low",
 * and is "unknown"; where nothing could be compared, "no change" was certain, and has no probability. What is written today comes
 * back as it is. Pure.
 */
export function asReadNow(incident: Incident): Incident {
  const { impact, extent, present, ranking, decidedRanking } = incident;
  return {
    ...incident,
    ranking: ranking === null ? null : rankingNow(ranking),
    ...(decidedRanking === undefined ? {} : { decidedRanking: rankingNow(decidedRanking) }),
    impact: impactNow(impact),
    ...(extent === undefined ? {} : { extent: { ...extent, impact: impactNow(extent.impact) } }),
    ...(present === undefined ? {} : { present: { ...present, impact: impactNow(present.impact) } }),
  };
}

function impactNow(impact: Impact | null): Impact | null {
  if (impact === null || impact.level !== "low") return impact;
  const isUnmeasured = impact.notYet === true || (impact.failedShare === null && impact.unknown.length > 0);
  return isUnmeasured ? { ...impact, level: "unknown" } : impact;
}

function rankingNow(ranking: Ranking): Ranking {
  const isNone =
    ranking.candidates.length === 0 && ranking.noChangeReasons.some(({ name }) => name === NOTHING_TO_COMPARE);
  return isNone && isCompared(ranking) ? { ...ranking, noChangeProbability: null } : ranking;
}
