import { z } from "zod";
import { Finding, Onset } from "./finding.ts";
import { Impact, ImpactLevel } from "./impact.ts";
import { Moment } from "./time.ts";

/**
 * The most that an incident ever was. What is judged and done follows what is degraded now, which shrinks, comes back and is
 * dated anew; what it was stays here, for its record.
 */
export const Extent = z.strictObject({
  detectedAt: Moment.describe("When it was detected first"),
  onset: Onset.nullable().describe("Of what was detected first"),
  services: z.array(z.string()).describe("All that were ever affected"),
  findings: z.array(Finding).describe("Of each signal as a whole that was ever degraded, as it was worst"),
  impact: Impact.nullable().describe("As it was worst"),
});
export type Extent = Readonly<z.infer<typeof Extent>>;

/** What one evaluation finds of an incident. */
export type Found = Extent;

/**
 * The extent with what another evaluation finds. An onset that is estimated anew is believed as long as it lies before the
 * first detection; what begins after that is another one of the same incident. Pure.
 */
export function extentWith(before: Extent | undefined, found: Found): Extent {
  const { detectedAt } = before ?? found;
  const isOfFirst = found.onset !== null && found.onset.at <= detectedAt;
  return {
    detectedAt,
    onset: isOfFirst ? found.onset : (before?.onset ?? null),
    services: [...new Set([...(before?.services ?? []), ...found.services])],
    findings: worstOf([...(before?.findings ?? []), ...found.findings]),
    impact: worseImpact(before?.impact ?? null, found.impact),
  };
}

function worstOf(findings: readonly Finding[]): Finding[] {
  const worst = new Map<string, Finding>();
  for (const one of findings) {
    if (one.verdict !== "worse" || Object.keys(one.labels).length > 0) continue;
    const key = JSON.stringify([one.service, one.metric]);
    const known = worst.get(key);
    if (known === undefined) worst.set(key, one);
    else worst.set(key, { ...(distance(one) > distance(known) ? one : known), onset: known.onset ?? one.onset });
  }
  return [...worst.values()];
}

/** How far off a signal is; where its levels were not measured, by the strength of what says so. */
const distance = ({ baseline, current, strength }: Finding): number =>
  baseline === null || current === null ? strength : Math.abs(current - baseline);

function worseImpact(one: Impact | null, other: Impact | null): Impact | null {
  if (one === null || other === null) return one ?? other;
  // What was measured is kept over what was not, whichever came first.
  const rank = ({ level }: Impact) => (level === "unknown" ? -1 : ImpactLevel.options.indexOf(level));
  const isWorse =
    rank(other) > rank(one) || (rank(other) === rank(one) && (other.failedShare ?? 0) > (one.failedShare ?? 0));
  return isWorse ? other : one;
}
