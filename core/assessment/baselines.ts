import { brokenLevels } from "../config/broken-levels.ts";
import type { Config } from "../config/config.ts";
import { indexSeries } from "../correlation/samples.ts";
import { MATERIAL_ERROR_RATIO, MATERIAL_LEVEL } from "../detection/evidence.ts";
import { keptBySamples } from "../detection/kept-by-samples.ts";
import { isHarm } from "../detection/meaning.ts";
import { median, quantile, robustScale } from "../detection/robust.ts";
import type { CaseFile } from "../model/assessment.ts";
import type { Baseline } from "../model/incident.ts";
import type { Worse } from "../model/signal.ts";
import { beforeOf, type DegradedSpan } from "./before.ts";
import { shareByChance } from "./share-by-chance.ts";

/** Fewer samples than this are no baseline: what cannot be compared stays unknown. */
const LEAST_SAMPLES = 5;
/** The least samples of a part of the time before: what a signal does once in twenty samples is to be expected in each. */
const PART_SAMPLES = 20;
/** An episode shorter than a part lies in two of them at most, and five are needed to outvote two. */
const LEAST_PARTS = 5;

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

/** What a signal did by itself, in its own unit. */
interface Usual {
  readonly center: number;
  readonly upper: number;
  readonly lower: number;
  /** Whether its extremes are among the limits. */
  readonly hasExtremes: boolean;
}

/**
 * What a signal was like, from its samples in the order of time: the median, and limits that hold what it did by itself (four robust
 * deviations, or the least shift that matters, or its extreme two in a hundred, whichever is widest). The extremes are
 * those of the parts of the time, and of all parts the median counts: what a signal does by itself it does in most of
 * them, and what it did in fewer than half was an episode, recorded or not. Where there is too little for five parts,
 * extremes cannot be told from an episode and do not count; the median and the deviation stand against nearly half.
 */
function usual(values: readonly number[], mattersAt: (center: number) => number): Usual {
  const center = median(values);
  const reach = Math.max(4 * robustScale(values, center), mattersAt(center));
  const [upper, lower] = [center + reach, Math.max(0, center - reach)];
  const parts = partsOf(values);
  if (parts.length < LEAST_PARTS) return { center, upper, lower, hasExtremes: false };
  const extreme = (share: number) => median(parts.map((part) => quantile(part, share)));
  return {
    center,
    upper: Math.max(upper, extreme(0.98)),
    lower: Math.min(lower, extreme(0.02)),
    hasExtremes: true,
  };
}

/** An odd number of parts of equal length, so that one of them is the middle one; one part where there are too few samples. */
function partsOf(values: readonly number[]): readonly (readonly number[])[] {
  const most = Math.floor(values.length / PART_SAMPLES);
  const count = most < LEAST_PARTS ? 1 : most - ((most + 1) % 2);
  const start = (part: number) => Math.floor((part * values.length) / count);
  return Array.from({ length: count }, (_, part) => values.slice(start(part), start(part + 1)));
}

const usualErrors = keptBySamples((values) => usual(values, () => MATERIAL_ERROR_RATIO));
const usualLevel = keptBySamples((values) => usual(values, (center) => MATERIAL_LEVEL * Math.abs(center)));

/**
 * The same limits as a baseline holds them. Of errors whose extremes are not known what chance does takes their place: else a single
 * failed request in a sample of a hundred would be outside. It never reaches what a policy calls broken, and where none calls
 * anything so it changes nothing.
 */
function limitsOf({ center, upper, lower, hasExtremes }: Usual, perSample: number | null, brokenAt = 0) {
  if (hasExtremes || perSample === null) return { center, upper, lower };
  return { center, upper: Math.max(upper, Math.min(shareByChance(center, perSample), brokenAt)), lower };
}

/** What is known beside the evidence of the time before an episode. */
export interface BeforeOptions {
  /** Earlier incidents: none of their samples is of the time before. */
  readonly earlier?: readonly DegradedSpan[];
  /** Id of the change that is suspected most; null: none is. */
  readonly suspect?: string | null;
}

/**
 * What each signal of harm was like before the trouble, for verification (`beforeOf` says what counts as before): the median, and
 * limits that hold what the signal did by itself. The usual use of memory stands there as well, so that a leak can be
 * seen to have ended, and whatever else a policy's condition judges (traffic, the use of CPU), with the direction in
 * which it is declared bad. Signals without a history have no entry: whether they recovered is unknown (S9).
 */
export function baselines(
  caseFile: CaseFile,
  services: readonly string[],
  policies: Config["policies"],
  { earlier = [], suspect = null }: BeforeOptions = {},
): readonly Baseline[] {
  const judged = judgedMetrics(policies);
  const index = indexSeries(caseFile.series, "version");
  const before = beforeOf(caseFile, services, earlier, suspect);
  const brokenAt = brokenLevels(policies);
  const found: Baseline[] = [];
  for (const service of services) {
    const traffic = before(index.whole(service, "request_rate")).map(({ value }) => value);
    const requestRate = traffic.length < LEAST_SAMPLES ? null : usualLevel(`${service}\nrequest_rate`, traffic).center;
    for (const series of index.metrics(service)) {
      const declared = judged.get(series.metric);
      if (!isHarm(series.metric, series.worse) && series.metric !== "memory_usage" && declared === undefined) continue;
      const values = before(series).map(({ value }) => value);
      if (values.length < LEAST_SAMPLES) continue;
      const isErrors = series.metric === "error_rate";
      const own = (isErrors ? usualErrors : usualLevel)(`${service}\n${series.metric}`, values);
      const perSample = !isErrors || requestRate === null ? null : (requestRate * series.stepMs) / 1_000;
      found.push({
        service,
        metric: series.metric,
        unit: series.unit,
        ...limitsOf(own, perSample, brokenAt[series.metric]),
        requestRate,
        ...(declared !== undefined && series.worse === "either" ? { worse: declared } : {}),
      });
    }
  }
  return found;
}
