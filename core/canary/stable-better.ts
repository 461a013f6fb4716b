import type { CanaryPolicy, Config } from "../config/config.ts";
import { silentAfter } from "../detection/silence.ts";
import type { CaseFile } from "../model/assessment.ts";
import type { Change } from "../model/change.ts";
import { judgeOne, newestByVersion } from "./live.ts";

/** What a file says that names `canary_analysis` and nothing in it: the schema's defaults. */
const WITHOUT_POLICY: CanaryPolicy = {
  enabled: true,
  baselineDurationMs: 900_000,
  comparisonMetrics: ["error_rate", "p99_latency"],
  minimumConfidence: 0.95,
  autoPromoteOnPass: false,
  autoRollbackOnFail: false,
  judge: "sequential",
  kayenta: { pass: 95, marginal: 75, groupWeights: {}, metrics: {} },
};

/**
 * Whether the stable version takes requests now and is better than the one on trial by the canary test, both measured over
 * the same samples since the trial began, and worse in none of what is compared. What is not measured by version is false: it
 * proves nothing (S9). There is no time to warm up as in an analysis, since what began the question is that something is
 * wrong, and not only that the new version starts. Pure.
 */
export function isStableBetter(
  change: Change,
  stable: string,
  { at, series }: Pick<CaseFile, "at" | "series">,
  { canary, versionLabel }: Pick<Config, "canary" | "versionLabel">,
): boolean {
  const { service, to, startedAt } = change;
  if (stable === to || startedAt > at || !takesRequests(service, stable, { at, series }, versionLabel)) return false;
  if (!newestByVersion(series, service, versionLabel, at).has(to)) return false;
  const policy = canary?.enabled === true ? canary : WITHOUT_POLICY;
  const judged = (version: string, beside: string) =>
    judgeOne({ change, service, version, stable: beside, since: startedAt }, { at, series }, policy, versionLabel);
  const trial = judged(to, stable);
  if (trial.verdict !== "fail" || !trial.metrics.some(({ verdict }) => verdict === "worse")) return false;
  return judged(stable, to).metrics.every(({ verdict }) => verdict !== "worse");
}

function takesRequests(
  service: string,
  version: string,
  { at, series }: Pick<CaseFile, "at" | "series">,
  label: string,
): boolean {
  const rate = series.find(
    (one) =>
      one.service === service &&
      one.metric === "request_rate" &&
      one.labels[label] === version &&
      Object.keys(one.labels).length === 1,
  );
  if (rate === undefined) return false;
  const last = rate.values.findLastIndex((value) => value !== null);
  return (
    last >= 0 && at - (rate.startAt + last * rate.stepMs) <= silentAfter(rate.stepMs) && (rate.values[last] ?? 0) > 0
  );
}
