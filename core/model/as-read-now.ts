import type { Impact } from "./impact.ts";
import type { Incident } from "./incident.ts";

/**
 * An incident as a ledger of before holds it, in today's terms: a level that nothing was measured for was written as "low" then,
 * and is "unknown" (S9). What is written today comes back as it is. Pure.
 */
export function asReadNow(incident: Incident): Incident {
  const { impact, extent, present } = incident;
  return {
    ...incident,
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
