import { isLatency } from "../detection/meaning.ts";
import { median } from "../detection/robust.ts";
import type { Finding, Onset } from "../model/finding.ts";
import { creeps } from "./harm.ts";
import { type SampleIndex, valuesBetween } from "./samples.ts";

/** What kind of harm a finding speaks of: failed requests (or pods), a use that creeps to its limit, late answers. */
export type TroubleClass = "failing" | "creeping" | "slow";

export function troubleClass(finding: Finding): TroubleClass {
  if (creeps(finding)) return "creeping";
  return isLatency(finding.metric) ? "slow" : "failing";
}

/** Of one time, findings at least this part as grave as the gravest count as much as it. */
export const NEARLY_AS_GRAVE = 1 / 3;

/**
 * How far off a signal is, on one scale: failed share of requests, or the logarithm of a ratio of levels. A fifth of all
 * requests is as grave as e-fold latency.
 */
export function gravityOf({
  metric,
  baseline,
  current,
  detector,
}: Pick<Finding, "metric" | "baseline" | "current" | "detector">): number {
  if (detector === "rollout" || detector === "health") return 1;
  if (baseline === null || current === null) return 0.01;
  if (metric === "error_rate") return Math.max(0, current - baseline) * 5;
  return baseline > 0 && current > 0 ? Math.abs(Math.log(current / baseline)) : 0.1;
}

/**
 * The findings of the class that the trouble is of. Late answers come with many troubles and without any, failed
 * requests do not: so the first of failing, creeping, slow that is nearly as grave as the gravest finding.
 */
export function ofGravestClass(findings: readonly Finding[]): readonly Finding[] {
  const least = NEARLY_AS_GRAVE * Math.max(0, ...findings.map(gravityOf));
  for (const kind of ["failing", "creeping", "slow"] as const) {
    const ofKind = findings.filter((one) => troubleClass(one) === kind);
    if (ofKind.some((one) => gravityOf(one) >= least)) return ofKind;
  }
  return findings;
}

/** A use this near to its limit is where processes are killed, or spend their time on freeing what they have. */
const NEAR_LIMIT = 0.9;

/** Of what a drift has used up since it began, this much before the failing: what rises with the failing is a part of it. */
const BEFORE_IT_FAILED = 3 / 4;

/**
 * The drift that has reached its limit at a service that fails, or answers late, since: then the failing is how the drift
 * ends, and the trouble began when the drift did. A use that rose with the failing itself is no cause of it. Null where
 * no drift explains what fails. Of several, the earliest.
 */
export function cameToItsLimit(findings: readonly Finding[], index: SampleIndex): Finding | null {
  const ended = findings.filter(
    (one) =>
      one.detector === "drift" &&
      (one.current ?? 0) >= NEAR_LIMIT &&
      hadCrept(one, beganOf(findings.filter(({ service }) => service === one.service)), index),
  );
  return ended.toSorted((a, b) => (a.onset?.at ?? 0) - (b.onset?.at ?? 0))[0] ?? null;
}

/**
 * When what is wrong with a service beside its drifts began: the earliest onset of what is nearly as grave as the gravest of it.
 * What jumped then takes a line over both sides of the jump along, and is no drift.
 */
function beganOf(ofService: readonly Finding[]): Onset | null {
  const others = ofService.filter((one) => troubleClass(one) !== "creeping" && one.onset !== null);
  const least = NEARLY_AS_GRAVE * Math.max(0, ...others.map(gravityOf));
  const grave = others.filter((one) => gravityOf(one) >= least);
  return grave.toSorted((a, b) => (a.onset?.at ?? 0) - (b.onset?.at ?? 0))[0]?.onset ?? null;
}

/** Whether most of what a drift has used up was used up by the time at which something began. */
function hadCrept(
  { service, metric, onset, baseline, current }: Finding,
  since: Onset | null,
  index: SampleIndex,
): boolean {
  if (onset === null || since === null || since.at <= onset.at) return false;
  const series = index.whole(service, metric);
  const before = valuesBetween(series, onset.earliest, since.earliest).slice(-LEVEL_SAMPLES);
  if (before.length === 0) return series === undefined;
  // Where a drift was found from its newest part alone, its baseline is the use of that part's start, not of the drift's.
  const atFirst = valuesBetween(series, Number.NEGATIVE_INFINITY, onset.at).slice(-LEVEL_SAMPLES);
  const from = Math.min(baseline ?? 0, ...(atFirst.length === 0 ? [] : [median(atFirst)]));
  return median(before) - from >= BEFORE_IT_FAILED * ((current ?? 0) - from);
}
/** A level is read from three samples: one may be off. */
const LEVEL_SAMPLES = 3;

/** Whether the trouble that findings speak of is one that creeps. */
export function isCreeping(findings: readonly Finding[], index: SampleIndex): boolean {
  return findings.length > 0 && (cameToItsLimit(findings, index) !== null || ofGravestClass(findings).every(creeps));
}
