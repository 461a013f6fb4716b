import type { Config } from "../config/config.ts";
import { indexSeries, valuesBetween } from "../correlation/samples.ts";
import { MATERIAL_ERROR_RATIO, MATERIAL_LEVEL } from "../detection/evidence.ts";
import { keptBySamples } from "../detection/kept-by-samples.ts";
import { isHarm } from "../detection/meaning.ts";
import { median, quantile, robustScale } from "../detection/robust.ts";
import type { CaseFile } from "../model/assessment.ts";
import type { Baseline } from "../model/incident.ts";
import type { Worse } from "../model/signal.ts";
import { episodeOnset, harmFindings } from "./episodes.ts";

/** What "before" means for a recovery: the hour before the onset. */
const BEFORE_MS = 3_600_000;
/** Fewer samples than this are no baseline: what cannot be compared stays unknown. */
const LEAST_SAMPLES = 5;

/**
 * The metrics that policy conditions hold against a threshold, each with the direction in which it is then bad: above
 * ("up"), below ("down"), or both where conditions of both kinds stand in the file.
 */
function judgedMetrics(policies: Config["policies"]): ReadonlyMap<string, Worse> {
  const judged = new Map<string, Worse>();
  for (const condition of policies.flatMap(({ conditions }) => conditions)) {
    if (condition.kind !== "threshold") continue;
    const worse = condition.comparison === "greater_than" ? "up" : "down";
    const known = judged.get(condition.metric) ?? worse;
    judged.set(condition.metric, known === worse ? worse : "either");
  }
  return judged;
}

const usualOf = keptBySamples((values) => {
  const center = median(values);
  return { center, scale: robustScale(values, center), low: quantile(values, 0.02), high: quantile(values, 0.98) };
});

/**
 * What each signal of harm was like before the trouble, for verification: the median, and limits that hold what the
 * signal did by itself (its extreme two in a hundred, or four robust deviations, or the smallest shift that matters,
 * whichever is widest). The usual use of memory stands there as well, so that a leak can be seen to have ended, and
 * whatever else a policy's condition judges (traffic, the use of CPU), with the direction in which it is declared bad.
 * Signals without a history have no entry.
 */
export function baselines(
  caseFile: CaseFile,
  services: readonly string[],
  policies: Config["policies"],
): readonly Baseline[] {
  const judged = judgedMetrics(policies);
  const index = indexSeries(caseFile.series, "version");
  const onset = episodeOnset(harmFindings(caseFile, new Set(services)), index, caseFile.changes);
  const until = onset?.earliest ?? caseFile.at;
  const found: Baseline[] = [];
  for (const service of services) {
    const traffic = valuesBetween(index.whole(service, "request_rate"), until - BEFORE_MS, until);
    const requestRate = traffic.length < LEAST_SAMPLES ? null : usualOf(`${service}\nrequest_rate`, traffic).center;
    for (const series of index.metrics(service)) {
      const declared = judged.get(series.metric);
      if (!isHarm(series.metric, series.worse) && series.metric !== "memory_usage" && declared === undefined) continue;
      const values = valuesBetween(series, until - BEFORE_MS, until);
      if (values.length < LEAST_SAMPLES) continue;
      const { center, scale, low, high } = usualOf(`${service}\n${series.metric}`, values);
      const matters = series.metric === "error_rate" ? MATERIAL_ERROR_RATIO : MATERIAL_LEVEL * Math.abs(center);
      const reach = Math.max(4 * scale, matters);
      found.push({
        service,
        metric: series.metric,
        unit: series.unit,
        center,
        upper: Math.max(center + reach, high),
        lower: Math.min(Math.max(0, center - reach), low),
        requestRate,
        ...(declared !== undefined && series.worse === "either" ? { worse: declared } : {}),
      });
    }
  }
  return found;
}
