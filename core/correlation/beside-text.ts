import type { BeganBeside } from "../model/assessment.ts";
import type { Change } from "../model/change.ts";
import { durationText } from "../model/time.ts";
import { changesAt } from "./changes-at.ts";
import type { CaseEvidence } from "./rank.ts";

/** A change, and what began to be degraded beside its service. */
export interface Beside {
  readonly change: Pick<Change, "id" | "service">;
  readonly logOdds: number;
  readonly beside: BeganBeside;
}

/** What is known of one changed service and those beside it. */
interface Place {
  /** Where it was changed. */
  readonly service: string;
  readonly isDegraded: boolean;
  readonly others: readonly string[];
  /** Whether no known call joins the others to it. */
  readonly isApart: boolean;
  readonly withinMs: number;
  readonly changeIds: readonly string[];
}

/**
 * What began to be degraded beside which changed service, within how long, by the likeliest onset of each; that no known call joins
 * them is said of the changed service and those beside it alone, not of those among each other, and only where the calls
 * between the two were looked at. The changes against which it speaks most come first, each meeting once. Pure.
 */
export function besideText(met: readonly Beside[], seen: CaseEvidence): string {
  const siblings = new Set(seen.caseFile.siblings?.services);
  const isDegraded = (service: string) => seen.worse.has(service) || siblings.has(service);
  const places = met
    .toSorted((a, b) => b.logOdds - a.logOdds)
    .map(({ change, beside }): Place => {
      const { service } = change;
      const others = beside.services.filter((one) => one !== service && isDegraded(one));
      const isApart = beside.of.includes(service);
      const { withinMs } = beside;
      return { service, isDegraded: isDegraded(service), others, isApart, withinMs, changeIds: [change.id] };
    })
    .filter(({ others }) => others.length > 0);
  const apart = places.filter(({ isApart }) => isApart);
  const each = Map.groupBy(apart.length === 0 ? places : apart, (place) => JSON.stringify(keyOf(place)));
  const clauses = [...each.values()].map((same) => clauseOf(same, seen));
  return `${clauses.join("; ")}: something beneath them that nobody measures would show the same`;
}

/** Those that met; where it was changed is one of them only if it is degraded. */
const keyOf = ({ service, isDegraded, others }: Place) => [
  isDegraded,
  [...(isDegraded ? [service] : []), ...others].toSorted(),
];

/** One meeting; several changes may have met the same. */
function clauseOf(same: readonly Place[], seen: CaseEvidence): string {
  const [first] = same;
  if (first === undefined) return "";
  const { service, others, isDegraded, isApart } = first;
  const withinMs = Math.max(...same.map((one) => one.withinMs));
  const named = others.map((one) => withChanges(one, seen));
  if (!isDegraded) {
    const ids = [...new Set(same.flatMap(({ changeIds }) => changeIds))].sort().join(", ");
    return isApart
      ? `no known call joins ${named.join(" and ")} to where ${ids} was changed`
      : `${named.join(" and ")} ${others.length === 1 ? "is" : "are"} degraded beside what ${ids} changed`;
  }
  if (others.length === 1) {
    const both = [service, ...others].toSorted().map((one) => withChanges(one, seen));
    const when = withinMs === 0 ? "at the same time" : `within ${durationText(withinMs)} of each other`;
    return `${both.join(" and ")} began to be degraded ${when}${isApart ? ", and no known call joins them" : ""}`;
  }
  const when = withinMs === 0 ? "at the same time as" : `within ${durationText(withinMs)} of`;
  const calls = isApart ? `, and no known call joins them to ${service}` : "";
  return `${named.join(" and ")} began to be degraded ${when} ${withChanges(service, seen)}${calls}`;
}

/** A service with the ids of what was changed there when the trouble began: each may be bad all the same. */
function withChanges(service: string, { caseFile, onset }: CaseEvidence): string {
  const ids = changesAt(caseFile, [service], onset).map(({ id }) => id);
  return ids.length === 0 ? service : `${service} (${ids.join(", ")})`;
}
