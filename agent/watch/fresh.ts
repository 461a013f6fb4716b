import { type Incident, isResidual } from "../../core/model/incident.ts";
import { isWithItsPlan } from "../../core/model/recorded.ts";

/**
 * So old may be what the record shows of an incident that somebody decides by, ms: within a minute people answer a page.
 * What nobody waits for is written ten times more seldom, since each state is an entry of the ledger.
 */
const URGENT_MS = 60_000;
const RARE_MS = 10 * URGENT_MS;

/**
 * How old the evidence in the record of this incident may grow, ms. Of one that is open for its symptoms alone nothing is
 * assessed any more: it keeps what people were told last, with its moment.
 */
export function freshFor(incident: Pick<Incident, "stage" | "outcome">): number {
  if (isResidual(incident)) return Number.POSITIVE_INFINITY;
  return isWithItsPlan(incident) || incident.stage === "waiting-approval" ? URGENT_MS : RARE_MS;
}
