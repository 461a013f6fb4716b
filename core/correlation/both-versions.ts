import { isLatency } from "../detection/meaning.ts";
import type { Change } from "../model/change.ts";
import type { CaseEvidence } from "./rank.ts";
import { samplesBetween } from "./samples.ts";

/** So many of the newest samples of both versions are compared; one alone may be an outlier. */
const NEWEST = 4;
/** Where the old version shows half of it, most of what is wrong is no matter of the version. */
const MOST_OF_IT = 1 / 2;

/**
 * Whether the old version, which still serves beside the new one, shows at least half of what the new one does against the
 * usual, in each signal of the service that is worse and measured by version: then something else is wrong with both, and what
 * the new one adds (a cold start, say) is the smaller part. Late answers are compared by factors, since whatever slows a
 * service slows what its version adds as well; shares of failed requests by differences. Null where nothing is measured of
 * both. Pure.
 */
export function sufferAlike(
  change: Change,
  { index, worse, caseFile, onset }: Pick<CaseEvidence, "index" | "worse" | "caseFile" | "onset">,
): boolean | null {
  const shares = [...(worse.get(change.service) ?? [])].flatMap((metric) => {
    const usual = caseFile.findings.find(
      (one) => one.service === change.service && one.metric === metric && one.verdict === "worse",
    )?.baseline;
    if (usual === null || usual === undefined || !(metric === "error_rate" || isLatency(metric))) return [];
    const versions = index.byVersion(change.service, metric);
    const old = new Map(
      samplesBetween(versions.get(change.from), onset.earliest, caseFile.at).map(({ at, value }) => [at, value]),
    );
    const pairs = samplesBetween(versions.get(change.to), onset.earliest, caseFile.at)
      .flatMap(({ at, value }) => (old.has(at) ? [[value, old.get(at) ?? Number.NaN] as const] : []))
      .slice(-NEWEST);
    if (pairs.length === 0) return [];
    const mean = (of: (pair: (typeof pairs)[number]) => number) =>
      pairs.reduce((sum, one) => sum + of(one), 0) / pairs.length;
    const excess = (value: number) => (isLatency(metric) && usual > 0 ? Math.log(value / usual) : value - usual);
    const [fresh, stable] = [excess(mean(([value]) => value)), excess(mean(([, value]) => value))];
    return fresh > 0 ? [stable / fresh] : [];
  });
  return shares.length === 0 ? null : shares.every((share) => share >= MOST_OF_IT);
}
