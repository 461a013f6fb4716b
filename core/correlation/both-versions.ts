import { isLatency } from "../detection/meaning.ts";
import type { Change } from "../model/change.ts";
import type { Series } from "../model/signal.ts";
import type { CaseEvidence } from "./rank.ts";
import { samplesBetween } from "./samples.ts";

/** So many of the newest samples of both versions are compared, half of them at most: a cold start is over in the newer half sooner. */
const NEWEST = 4;
/** The service's newest samples say how it is now. */
const NOW = 2;
/** Where the version explains less than half of it, most of what is wrong is no matter of the version. */
const MOST_OF_IT = 1 / 2;

/**
 * Whether most of what is wrong at the service of a change is no matter of its version: in each signal that is worse and was
 * measured by version, what the new version added to the old one while both served is less than half of what the service is
 * off now, or the new version was then. Either the old one suffers as well, or it grew worse after the last of the old one was
 * gone; what the new one adds (a cold start, say) is the smaller part. Late answers are compared by factors, since whatever
 * slows a service slows what its version adds as well; shares of failed requests by differences. Null where nothing was measured
 * of both. Pure.
 */
export function isMostlyElse(
  change: Change,
  { index, worse, caseFile, onset }: Pick<CaseEvidence, "index" | "worse" | "caseFile" | "onset">,
): boolean | null {
  const shares = [...(worse.get(change.service) ?? [])].flatMap((metric) => {
    const usual = caseFile.findings.find(
      (one) => one.service === change.service && one.metric === metric && one.verdict === "worse",
    )?.baseline;
    if (usual === null || usual === undefined || !(metric === "error_rate" || isLatency(metric))) return [];
    const since = (series: Series | undefined) => samplesBetween(series, onset.earliest, caseFile.at);
    const versions = index.byVersion(change.service, metric);
    const old = new Map(since(versions.get(change.from)).map(({ at, value }) => [at, value]));
    const both = since(versions.get(change.to)).flatMap(({ at, value }) => {
      const beside = old.get(at);
      return beside === undefined ? [] : [{ fresh: value, stable: beside }];
    });
    if (both.length === 0) return [];
    const excess = (values: readonly number[]): number => {
      const level = mean(values);
      return isLatency(metric) && usual > 0 && level > 0 ? Math.log(level / usual) : level - usual;
    };
    const newest = both.slice(-Math.min(NEWEST, Math.ceil(both.length / 2)));
    const fresh = excess(newest.map((one) => one.fresh));
    const now = excess(
      since(index.whole(change.service, metric))
        .slice(-NOW)
        .map(({ value }) => value),
    );
    const all = Math.max(fresh, now || 0);
    return all > 0 ? [(fresh - excess(newest.map((one) => one.stable))) / all] : [];
  });
  return shares.length === 0 ? null : shares.every((share) => share < MOST_OF_IT);
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
