import type { Config } from "../config/config.ts";
import type { KnownLevel } from "../model/impact.ts";
import type { Incident } from "../model/incident.ts";

/** What the order looks at; an incident is one of these, and so is what is kept of one. */
export type Weighed = Pick<Incident, "id" | "service" | "affectedServices" | "impact" | "onset" | "detectedAt">;

/**
 * How grave a level is, the gravest first. One that is not known may be anything: it goes after what is measured to be
 * medium or worse, so that no measured outage waits for it, and before low, which is measured to harm almost nobody.
 */
const GRAVITY: readonly KnownLevel[] = ["critical", "high", "medium", "unknown", "low"];

/** The impact level of an incident; "unknown" also where its impact was never assessed (S9). */
export const knownLevel = ({ impact }: Pick<Incident, "impact">): KnownLevel => impact?.level ?? "unknown";

/**
 * Compares two incidents for "worse first": by impact level; then by the failed share of requests, one that is not known
 * last; then by the importance that the file gives to the most important service of each; then the older one; then by
 * id, so that every process finds the same order. < 0: `a` goes first. Pure.
 */
export function compareImpact(a: Weighed, b: Weighed, services: Config["services"] = {}): number {
  return (
    gravityOf(a) - gravityOf(b) ||
    (b.impact?.failedShare ?? -1) - (a.impact?.failedShare ?? -1) ||
    importanceOf(a, services) - importanceOf(b, services) ||
    startOf(a) - startOf(b) ||
    (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)
  );
}

/**
 * Incidents in the order in which people see them and scarce budget is offered to them (`compareImpact`). The order of
 * what comes in does not matter, and it is not changed.
 */
export function worstFirst<T extends Weighed>(
  incidents: readonly T[],
  services: Config["services"] = {},
): readonly T[] {
  return incidents.toSorted((a, b) => compareImpact(a, b, services));
}

const gravityOf = (one: Weighed): number => GRAVITY.indexOf(knownLevel(one));

/** As `GRAVITY`; services that the file does not describe may be critical, as for who must approve. */
function importanceOf({ service, affectedServices }: Weighed, services: Config["services"]): number {
  const levels = [service, ...affectedServices].map((name) =>
    Object.hasOwn(services, name) ? (services[name]?.criticality ?? "critical") : "critical",
  );
  return Math.min(...levels.map((level) => GRAVITY.indexOf(level)));
}

const startOf = ({ onset, detectedAt }: Weighed): number => onset?.at ?? detectedAt;
