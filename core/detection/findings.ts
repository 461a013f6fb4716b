import { unitOfMetric } from "../config/units.ts";
import { byChanceText } from "../model/by-chance.ts";
import type { Change } from "../model/change.ts";
import type { Rollout } from "../model/evidence.ts";
import type { ConditionState, Finding } from "../model/finding.ts";
import { SLOW_SHARE } from "../model/signal.ts";
import { durationText } from "../model/time.ts";
import type { ControlAnswer } from "./control.ts";
import { type Drift, type HeldDrift, holds, mayFollowTraffic } from "./drift.ts";
import type { Signal } from "./engine.ts";
import { MATERIAL_ERROR_RATIO, MATERIAL_LEVEL } from "./evidence.ts";
import { isResource, withUnit } from "./meaning.ts";
import { newestAt, slotOf, timeOf, valueAt } from "./sample-grid.ts";
import { seasonAt } from "./season.ts";
import { presentValue, type SignalWatch, strength, usual } from "./signal-watch.ts";
import { silentAfter } from "./silence.ts";

export interface FindingContext {
  readonly now: number;
  readonly changes: readonly Change[];
  readonly requestsAt: (at: number) => number;
  /** What the shift looks like beside services that the change cannot reach; null: there are none to compare with. */
  readonly control?: (change: Change, since: number) => ControlAnswer | null;
}

/** Evidence of 20 to 1 is worth a mention; less is not. */
const DOUBT_NATS = Math.log(20);
/** A stretch that ended is told of for so long. */
const TELL_PAST_MS = 1_800_000;
/** A shift up to so long after a change was found "after a change"; the correlation judges whether because of it. */
const AFTER_CHANGE_MS = 3_600_000;

/** What the running test of one signal says now: at most one finding, and a drift if there is one. */
export function signalFindings(signal: Signal, context: FindingContext): readonly Finding[] {
  const found = standingDrift(signal, context);
  const drift = found === null ? [] : [driftFinding(signal, found, timeOf(signal.grid, found.end - 1))];
  const newest = newestAt(signal.grid);
  if (newest === null || newest < 0) return [];
  if (
    Object.keys(signal.labels).length === 0 &&
    signal.metric !== SLOW_SHARE &&
    context.now - newest > silentAfter(signal.grid.stepMs)
  )
    return [silence(signal, newest, context.now), ...drift];
  if (signal.metric === "request_rate" || signal.metric === SLOW_SHARE) return [];
  const tested = testFinding(signal, context);
  return tested === null ? drift : [tested, ...drift];
}

/** The drift that was found, while it stands; none where traffic explains it, or may. */
function standingDrift({ drift, grid, metric }: Signal, { requestsAt }: FindingContext): HeldDrift | null {
  if (drift === null || !holds(grid, drift)) return null;
  return metric === "cpu_usage" && mayFollowTraffic(grid, drift, requestsAt) ? null : drift;
}

const base = (signal: Signal) => ({
  service: signal.service,
  metric: signal.metric,
  labels: signal.labels,
  unit: signal.unit,
});

function silence(signal: Signal, newest: number, now: number): Finding {
  return {
    ...base(signal),
    detector: "silence",
    verdict: "unknown",
    onset: null,
    detectedAt: now,
    baseline: null,
    current: null,
    samples: 0,
    strength: 0,
    because: `${signal.metric} of ${signal.service} has had no data for ${durationText(now - newest)}: unknown, not healthy`,
  };
}

/** Nothing to tell, as of nearly every signal at nearly every look: then no word of it is made up. */
function isCalm(watch: SignalWatch, now: number): boolean {
  if (watch.alarm !== null || strength(watch) >= DOUBT_NATS) return false;
  return watch.past === null || now - watch.past.endedAt > TELL_PAST_MS;
}

function testFinding(signal: Signal, context: FindingContext): Finding | null {
  const { watch } = signal;
  if (isCalm(watch, context.now)) return null;
  const at = timeOf(signal.grid, signal.grid.next - 1);
  const limits = usual(watch, context.requestsAt(at));
  if (limits === null) return null;
  const shared = { ...base(signal), baseline: limits.center, strength: Math.min(strength(watch), 700) };
  const normal = withUnit(limits.center, signal.unit);
  if (watch.alarm !== null) {
    const { alarm } = watch;
    const current = presentValue(watch, alarm);
    const change = changeBefore(signal, alarm.onset.latest, context.changes);
    const control = change === null ? null : (context.control?.(change, alarm.onset.at) ?? null);
    const detector = change !== null && control?.own !== false ? "regression" : "change-point";
    const strength = Math.min(shared.strength, control?.strength ?? Number.POSITIVE_INFINITY);
    const season = seasonal(signal, alarm.onset.at, current);
    const because = `${signal.metric} of ${signal.service} went from ${normal} to ${withUnit(current, signal.unit)}, ${byChanceText(strength)}${beside(control)}${season.note}`;
    const verdict = season.usual ? "inconclusive" : "worse";
    const { onset, raisedAt: detectedAt, samples } = alarm;
    return {
      ...shared,
      strength,
      detector,
      verdict,
      onset,
      detectedAt,
      current,
      samples: Math.max(0, samples),
      ...(season.center === null ? {} : { season: season.center }),
      because,
    };
  }
  if (shared.strength >= DOUBT_NATS) {
    const because = `${signal.metric} of ${signal.service} may be leaving ${normal}; not yet sure`;
    const rest = { detector: "change-point", verdict: "inconclusive", onset: null, detectedAt: at } as const;
    return { ...shared, ...rest, current: null, samples: watch.suspect, because };
  }
  const { past } = watch;
  if (past === null) return null;
  const lasted = durationText(Math.max(0, past.endedAt - past.onset.at));
  const because = `transient: ${signal.metric} of ${signal.service} reached ${withUnit(past.worst, signal.unit)} for ${lasted} and is back at ${normal}`;
  const rest = { detector: "change-point", verdict: "no-worse", detectedAt: past.endedAt, samples: 0 } as const;
  return { ...shared, ...rest, onset: past.onset, current: limits.center, strength: -Math.log(1000), because };
}

/** The latest change of the service within an hour before the onset, or null. */
function changeBefore({ service }: Signal, onset: number, changes: readonly Change[]): Change | null {
  const before = changes.filter(
    (one) => one.service === service && one.startedAt <= onset && onset - one.startedAt <= AFTER_CHANGE_MS,
  );
  return before.reduce<Change | null>(
    (last, one) => (last !== null && last.startedAt > one.startedAt ? last : one),
    null,
  );
}

function beside(control: ControlAnswer | null): string {
  if (control === null) return "";
  const { services, common, own } = control;
  const factor = common.toFixed(2);
  const are = factor === "1.00" ? "as they were" : `at ${factor} times what they were`;
  const others = `${services} services that the change cannot reach are ${are}`;
  return own ? `; ${others}` : `; ${others}, beyond which nothing is sure yet`;
}

/** Whether the present value is usual for this time of day: then the shift is the day's, not a fault. */
function seasonal(
  signal: Signal,
  at: number,
  current: number,
): { usual: boolean; center: number | null; note: string } {
  const season = signal.history === null ? null : seasonAt(signal.history, at);
  if (season === null) return { usual: false, center: null, note: "" };
  const tolerance =
    signal.metric === "error_rate" ? MATERIAL_ERROR_RATIO / 2 : (MATERIAL_LEVEL / 2) * Math.abs(season.center);
  const distance = signal.worse === "down" ? season.center - current : current - season.center;
  const far = signal.worse === "either" ? Math.abs(distance) : distance;
  // What the last hours were like must itself be usual for the time of day, or days before say nothing about now.
  const usualNow = far <= Math.max(3 * season.scale, tolerance);
  const text = withUnit(season.center, signal.unit);
  const time = season.weekday > 0 ? "time of this weekday" : "time of day (weekdays are not distinguished yet)";
  return {
    usual: usualNow,
    center: season.center,
    note: `; baseline at this ${time} over ${season.days} days: ${text}`,
  };
}

/** A drift as a finding, with its forecast. */
function driftFinding(signal: Signal, drift: Drift, at: number): Finding {
  return {
    ...base(signal),
    detector: "drift",
    verdict: "worse",
    onset: drift.onset,
    detectedAt: at,
    baseline: drift.start,
    current: drift.current,
    samples: drift.samples,
    strength: drift.z ** 2 / 2,
    limitAt: drift.limitAt,
    because: `${signal.metric} of ${signal.service} rises steadily from ${withUnit(drift.start, signal.unit)} to ${withUnit(drift.current, signal.unit)}; at this pace it reaches its limit in ${durationText(Math.max(0, drift.limitAt - at))}`,
  };
}

/**
 * More requests than usual are slow, by count: told of the 99th percentile, which says the same later or less surely.
 * `p99`: that signal of the same service, for the values that people know; null where it is not measured or the share is
 * as usual. What the percentile says by itself stands where it is sure.
 */
export function slowShareFinding(slow: Signal, p99: Signal | undefined, context: FindingContext): Finding | null {
  const { alarm } = slow.watch;
  if (slow.metric !== SLOW_SHARE || alarm === null || p99 === undefined || p99.watch.alarm !== null) return null;
  const at = newestAt(p99.grid);
  if (at === null || context.now - at > silentAfter(p99.grid.stepMs)) return null;
  const found = testFinding(slow, context);
  if (found === null || found.verdict !== "worse") return null;
  const baseline = usual(p99.watch, Number.NaN)?.center ?? null;
  const current = valueAt(p99.grid, slotOf(p99.grid, at));
  const because = `${found.because}: requests beyond the bound that few pass`;
  const { season: _, ...rest } = found;
  return { ...rest, ...base(p99), detector: "slow-share", baseline, current, because };
}

/** Findings of late answers by count stand in for what the percentile says unsurely of the same service. */
export function withSlowShares(all: readonly Finding[], slow: readonly Finding[]): readonly Finding[] {
  const told = ({ service, metric, verdict, labels }: Finding) =>
    verdict !== "unknown" &&
    Object.keys(labels).length === 0 &&
    slow.some((one) => one.service === service && one.metric === metric);
  return slow.length === 0 ? all : [...all.filter((one) => !told(one)), ...slow];
}

/**
 * What versions side by side show, where the service as a whole does not show it already; what is said of the whole then
 * (that it is not sure, that something has passed) gives way.
 */
export function withVersions(whole: readonly Finding[], versions: readonly Finding[]): readonly Finding[] {
  if (versions.length === 0) return whole;
  const same = (a: Finding, b: Finding) =>
    a.service === b.service && a.metric === b.metric && Object.keys(a.labels).length === 0;
  const shown = (one: Finding) => whole.some((other) => other.verdict === "worse" && same(other, one));
  const more = versions.filter((one) => !shown(one));
  const kept = whole.filter((one) => one.verdict === "unknown" || !more.some((other) => same(one, other)));
  return [...kept, ...more];
}

/** What is wrong with a rollout that is stuck. Pods of the version before may all be ready meanwhile, and are counted as well. */
export const stuckText = ({ service, version, replicas: { updated, desired, ready } }: Rollout): string =>
  `pods of ${service} ${version} did not become ready by their deadline (${updated} of ${desired} pods are of it; ${ready} are ready, those of the version before included)`;

/** Rollouts whose new pods do not become ready: no traffic is hurt, and it must still be taken back. */
export function rolloutFindings(rollouts: readonly Rollout[], now: number): readonly Finding[] {
  return rollouts
    .filter((rollout) => rollout.status === "stuck")
    .map((rollout) => {
      const at = rollout.startedAt ?? rollout.observedAt;
      return {
        detector: "rollout",
        service: rollout.service,
        metric: "health_check_failures",
        labels: {},
        unit: "count",
        verdict: "worse",
        onset: { at, earliest: at, latest: rollout.observedAt },
        detectedAt: now,
        baseline: rollout.replicas.desired,
        current: rollout.replicas.ready,
        samples: 1,
        strength: Math.log(1000),
        because: stuckText(rollout),
      } as const;
    });
}

/**
 * Conditions that fire where no finding of harm speaks of the same signal: what people declared bad is bad, also where
 * it is the use of a resource. Its onset is that of the shift which took it there, where one was measured.
 */
export function conditionFindings(states: readonly ConditionState[], measured: readonly Finding[]): readonly Finding[] {
  const worse = measured.filter(({ verdict, labels }) => verdict === "worse" && Object.keys(labels).length === 0);
  const keyOf = ({ service, metric }: Pick<Finding, "service" | "metric">) => `${service}\n${metric}`;
  const spoken = new Set(worse.filter((one) => one.detector === "drift" || !isResource(one.metric)).map(keyOf));
  const found: Finding[] = [];
  for (const state of states) {
    if (state.state !== "firing" || state.since === null || spoken.has(keyOf(state))) continue;
    spoken.add(keyOf(state));
    const shift = worse.find((one) => keyOf(one) === keyOf(state));
    found.push({
      detector: state.metric === "health_check_failures" ? "health" : "threshold",
      service: state.service,
      metric: state.metric,
      labels: {},
      unit: shift?.unit ?? unitOfMetric(state.metric) ?? "",
      verdict: "worse",
      onset: shift?.onset ?? { at: state.since, earliest: state.earliest ?? state.since, latest: state.since },
      detectedAt: state.since,
      baseline: shift?.baseline ?? null,
      current: state.value,
      samples: 1,
      strength: DOUBT_NATS,
      because: `${state.text}: ${state.because}`,
    });
  }
  return found;
}
