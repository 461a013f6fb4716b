import type { Onset } from "../model/finding.ts";
import { SLOW_SHARE, type Worse } from "../model/signal.ts";
import { addUp, type Begun, hasDetected, strongest, takeEvidence } from "./e-detector.ts";
import { ALPHA, bounded, MATERIAL_LEVEL } from "./evidence.ts";
import { formOf, isLatency, isResource } from "./meaning.ts";
import {
  createLevelNormal,
  isMaterial,
  type LevelNormal,
  learnLevel,
  levelLimits,
  levelRecovery,
  levelSurprises,
  levelTrials,
  scaled,
  unscaled,
} from "./normal-level.ts";
import {
  centerRate,
  createRateNormal,
  dispersionOf,
  highestRate,
  learnRate,
  leastProbes,
  type RateNormal,
  rateRecovery,
  rateSurprises,
  rateTrials,
} from "./normal-rate.ts";
import { locateOnset } from "./onset.ts";
import { type SampleGrid, timeOf, valueAt } from "./sample-grid.ts";

/** Fewer samples than this are no history: nothing is said before. */
export const LEARN_SAMPLES = 8;
/** Doubt that the past is the past begins here: samples are not learned from while the evidence is above it. */
const CALM_NATS = 2;
/** Odds of a thousand to one that the signal is normal again end an alarm; at least two samples must say so. */
const RECOVERED_NATS = Math.log(1000);
/** The onset is sought so far back, and refined for so long after the alarm; later samples cannot move it. */
const ONSET_SLOTS = 240;
const REFINE_SLOTS = 24;
/** The past is forgotten by half in an hour, or in 120 samples where those take longer. */
const HALF_LIFE_MS = 3_600_000;
const HALF_LIFE_SLOTS = 120;
/** What has been so for six hours is the new normal; it has been somebody's incident for long enough. */
const NEW_NORMAL_MS = 6 * 3_600_000;

export interface Alarm {
  readonly raisedAt: number;
  onset: Onset;
  /** Exponentially weighted present value, in the scale tested. */
  current: number;
  worst: number;
  recovery: number;
  recoverySamples: number;
  samples: number;
}

/** A stretch that was worse and ended. */
export interface Past {
  readonly onset: Onset;
  readonly endedAt: number;
  readonly worst: number;
}

/** The running test of one signal: plain data, so that it can be stored. */
export interface SignalWatch {
  readonly metric: string;
  readonly worse: Worse;
  normal: RateNormal | LevelNormal | null;
  /** Next slot to look at; everything before has been judged. */
  slot: number;
  /** First slot not learned from yet. */
  unlearned: number;
  /** Evidence for each alternative since it was last at nothing, in nats. */
  evidence: number[];
  /** The same over every moment at which it could have begun: sums of likelihood ratios. */
  begun: Begun;
  alarm: Alarm | null;
  past: Past | null;
  /** Samples judged since the normal was last calm. */
  suspect: number;
  /** Requests (for counts: steps) in those samples. */
  suspectRequests: number;
}

export function createSignalWatch(metric: string, worse: Worse, slot: number): SignalWatch {
  const nothing = { normal: null, evidence: [], begun: [], alarm: null, past: null, suspect: 0, suspectRequests: 0 };
  return { metric, worse, slot, unlearned: slot, ...nothing };
}

/** Requests in the step that ends then; NaN where the traffic is not known. */
export type RequestsAt = (at: number) => number;

/** Judges every sample that came since the last call. Amortised O(1) a sample. `alpha`: what it may spend a sample, 0 to 1. */
export function follow(watch: SignalWatch, grid: SampleGrid, requests: RequestsAt, alpha = ALPHA): void {
  watch.slot = Math.max(watch.slot, grid.first);
  watch.unlearned = Math.max(watch.unlearned, grid.first);
  if (watch.normal === null && !begin(watch, grid, requests)) return;
  // Missing samples at the end may still come late: they are judged when they do, as by whoever reads it all at once.
  let end = grid.next;
  while (end > watch.slot && Number.isNaN(valueAt(grid, end - 1))) end -= 1;
  for (; watch.slot < end; watch.slot++) judge(watch, grid, requests, alpha);
}

/** Decides how the signal is tested, once there is enough of it; the first samples are learned, not judged. */
function begin(watch: SignalWatch, grid: SampleGrid, requests: RequestsAt): boolean {
  const first: number[] = [];
  let known = 0;
  let slot = watch.slot;
  for (; slot < grid.next && first.length < LEARN_SAMPLES; slot++) {
    const value = valueAt(grid, slot);
    if (Number.isNaN(value)) continue;
    first.push(value);
    if (requests(timeOf(grid, slot)) >= 0) known += 1;
  }
  if (first.length < LEARN_SAMPLES) return false;
  watch.normal = normalOf(watch, first, known, grid.stepMs);
  watch.slot = slot;
  learnUpTo(watch, grid, requests, slot);
  return true;
}

/** What is normal for a signal whose first samples are these, the traffic of `known` of which is known. */
function normalOf(
  { metric, worse }: SignalWatch,
  first: readonly number[],
  known: number,
  stepMs: number,
): RateNormal | LevelNormal {
  const form = formOf(metric);
  if (form === "errors" && known >= LEARN_SAMPLES / 2) return createRateNormal(true, leastRatioOf(metric));
  if (form === "count") return createRateNormal(false, leastRatioOf(metric), leastProbes(stepMs));
  return isCountOfFew(metric, worse, first)
    ? createRateNormal(false, leastRatioOf(metric))
    : createLevelNormal(first, worse, metric);
}

/** A count that is larger on average reads zero within the first samples less than one time in twenty (Poisson). */
const FEW = -Math.log(1 - 0.95 ** (1 / LEARN_SAMPLES));

/**
 * Whether a gauge reads nothing most of the time, or counts so few things that there may be none now and then (connections
 * in use, the length of a queue). A level of nothing has no scale on which to tell a shift, and the first thing counted
 * would be any number of deviations; what is in use at a time comes and goes as counts do (the occupancy of M/G/∞ is Poisson).
 */
function isCountOfFew(metric: string, worse: Worse, first: readonly number[]): boolean {
  if (worse !== "up" || metric === "error_rate" || isResource(metric) || isLatency(metric)) return false;
  if (first.some((value) => value < 0)) return false;
  const nothing = first.filter((value) => value === 0).length;
  const mean = first.reduce((sum, value) => sum + value, 0) / first.length;
  return nothing > first.length / 2 || (first.every(Number.isInteger) && mean <= FEW);
}

/**
 * A quarter more errors matter. Of the slow requests twice as many do: so many more pass the 95th percentile where
 * latencies of a common spread (log-normal, deviation 0.5 to 0.8) are longer by the quarter that matters for a level.
 */
const leastRatioOf = (metric: string): number => (metric === SLOW_SHARE ? 2 : 1 + MATERIAL_LEVEL);

function learnUpTo(watch: SignalWatch, grid: SampleGrid, requests: RequestsAt, end: number): void {
  const keep = 0.5 ** (1 / Math.max(HALF_LIFE_SLOTS, HALF_LIFE_MS / grid.stepMs));
  for (; watch.unlearned < end; watch.unlearned++) {
    const value = valueAt(grid, watch.unlearned);
    if (Number.isNaN(value) || watch.normal === null) continue;
    if (watch.normal.kind === "level") {
      const before = valueAt(grid, watch.unlearned - 1);
      const previous = Number.isNaN(before) ? before : scaled(watch.normal, before);
      learnLevel(watch.normal, scaled(watch.normal, value), previous, keep);
    } else {
      const n = watch.normal.bounded ? requests(timeOf(grid, watch.unlearned)) : 1;
      if (n >= 0) learnRate(watch.normal, events(watch.normal, value, n), n, keep);
    }
  }
}

const events = (normal: RateNormal, value: number, n: number): number =>
  normal.bounded ? Math.max(0, Math.min(1, value)) * n : Math.max(0, value);

/** What the sample in hand says for each alternative; one list for all samples, since there are millions of them. */
const nats: number[] = [];

function judge(watch: SignalWatch, grid: SampleGrid, requests: RequestsAt, alpha: number): void {
  if (!tryAt(watch, grid, requests, watch.slot)) return;
  if (watch.evidence.length === 0) {
    // Of their length from the start: arrays that grow hold room for 17 ready, and there are two for every signal.
    watch.evidence = new Array<number>(nats.length).fill(0);
    watch.begun = new Array<number>(nats.length).fill(0);
  }
  addUp(watch.evidence, nats);
  takeEvidence(watch.begun, nats);
  if (watch.alarm !== null) {
    continueAlarm(watch, watch.alarm, grid, requests);
    return;
  }
  const calm = strength(watch) <= CALM_NATS;
  watch.suspect = calm ? 0 : watch.suspect + 1;
  watch.suspectRequests = calm ? 0 : watch.suspectRequests + requestsIn(watch, grid, requests, watch.slot);
  if (hasDetected(watch.begun, alpha) && matters(watch, grid)) raise(watch, grid, requests);
  else if (watch.suspect > (watch.normal?.learned ?? 0)) takeForNormal(watch, grid, requests);
  else if (watch.suspect === 0) learnUpTo(watch, grid, requests, watch.slot + 1);
}

/** What has gone on for longer than the past was known, and was never sure, is as good a past as that was. */
function takeForNormal(watch: SignalWatch, grid: SampleGrid, requests: RequestsAt): void {
  learnUpTo(watch, grid, requests, watch.slot + 1);
  Object.assign(watch, { evidence: [], begun: [], suspect: 0, suspectRequests: 0 });
}

/** Requests in the step of a slot; 1 where the signal counts by steps. */
function requestsIn({ normal }: SignalWatch, grid: SampleGrid, requests: RequestsAt, slot: number): number {
  return normal?.kind === "rate" && normal.bounded ? requests(timeOf(grid, slot)) : 1;
}

/** A level must have moved by what matters, as the mean of the samples under suspicion; rates to bet on matter anyway. */
function matters({ normal, suspect, slot }: SignalWatch, grid: SampleGrid): boolean {
  if (normal?.kind !== "level") return true;
  let sum = 0;
  let count = 0;
  for (let i = slot; i > slot - Math.min(suspect, 8); i--) {
    const value = valueAt(grid, i);
    if (Number.isNaN(value)) continue;
    sum += scaled(normal, value);
    count += 1;
  }
  return count > 0 && isMaterial(normal, sum / count);
}

/** Puts what a slot's sample says into `nats`; false where it says nothing. */
function tryAt(watch: SignalWatch, grid: SampleGrid, requests: RequestsAt, slot: number): boolean {
  const value = valueAt(grid, slot);
  const { normal } = watch;
  if (Number.isNaN(value) || normal === null) return false;
  if (normal.kind === "level") {
    levelTrials(normal, scaled(normal, value), previousAt(normal, grid, slot), nats);
    return true;
  }
  const n = requestsIn(watch, grid, requests, slot);
  if (!(n > 0)) return false;
  const suspect = { requests: watch.suspectRequests + n, samples: watch.suspect + 1 };
  rateTrials(normal, events(normal, value, n), n, suspect, nats);
  return true;
}

function previousAt(normal: LevelNormal, grid: SampleGrid, slot: number): number {
  const before = valueAt(grid, slot - 1);
  return Number.isNaN(before) ? before : scaled(normal, before);
}

/** Evidence for "worse" now, in nats. */
export const strength = (watch: SignalWatch): number => strongest(watch.evidence);

function raise(watch: SignalWatch, grid: SampleGrid, requests: RequestsAt): void {
  const at = timeOf(grid, watch.slot);
  const onset = onsetOf(watch, grid, requests) ?? { at: at - grid.stepMs, earliest: at - grid.stepMs, latest: at };
  const value = testedValue(watch, valueAt(grid, watch.slot));
  watch.alarm = {
    raisedAt: at,
    onset,
    current: value,
    worst: value,
    recovery: 0,
    recoverySamples: 0,
    samples: watch.suspect,
  };
}

function testedValue(watch: SignalWatch, value: number): number {
  return watch.normal?.kind === "level" ? scaled(watch.normal, value) : value;
}

function onsetOf(watch: SignalWatch, grid: SampleGrid, requests: RequestsAt): Onset | null {
  const { normal } = watch;
  if (normal === null) return null;
  const afterPast = watch.past === null ? 0 : Math.ceil((watch.past.endedAt - grid.originMs) / grid.stepMs);
  const from = Math.max(grid.first, watch.slot - ONSET_SLOTS, afterPast, watch.unlearned - REFINE_SLOTS);
  const surprises = surprisesFrom(normal, grid, requests, from, watch.slot + 1);
  return locateOnset(surprises, timeOf(grid, from), grid.stepMs);
}

/** Evidence of each slot (`from` ≤ slot < `end`) that it is not as usual, in nats; NaN where nothing is known of it. */
export function surprisesFrom(
  normal: RateNormal | LevelNormal,
  grid: SampleGrid,
  requests: RequestsAt,
  from: number,
  end: number,
): readonly number[] {
  const surprise = normal.kind === "level" ? levelSurprises(normal) : rateSurprises(normal);
  const found: number[] = [];
  for (let slot = from; slot < end; slot++) {
    const value = valueAt(grid, slot);
    if (Number.isNaN(value)) found.push(Number.NaN);
    else if (normal.kind === "level") found.push(surprise(scaled(normal, value), 1));
    else {
      const n = normal.bounded ? requests(timeOf(grid, slot)) : 1;
      found.push(n > 0 ? surprise(events(normal, value, n), n) : Number.NaN);
    }
  }
  return found;
}

function continueAlarm(watch: SignalWatch, alarm: Alarm, grid: SampleGrid, requests: RequestsAt): void {
  const at = timeOf(grid, watch.slot);
  const value = testedValue(watch, valueAt(grid, watch.slot));
  const nats = bounded(recoveryAt(watch, alarm, grid, requests));
  alarm.samples += 1;
  alarm.recovery = Math.max(0, alarm.recovery + nats);
  alarm.recoverySamples = alarm.recovery === 0 ? 0 : alarm.recoverySamples + 1;
  if (alarm.recoverySamples === 0) {
    alarm.current += 0.3 * (value - alarm.current);
    if (Math.abs(value - center(watch)) > Math.abs(alarm.worst - center(watch))) alarm.worst = value;
    if (watch.slot - (alarm.raisedAt - grid.originMs) / grid.stepMs <= REFINE_SLOTS)
      alarm.onset = onsetOf(watch, grid, requests) ?? alarm.onset;
  }
  const old = at - alarm.raisedAt > NEW_NORMAL_MS;
  if ((alarm.recovery < RECOVERED_NATS || alarm.recoverySamples < 2) && !old) return;
  watch.past = {
    onset: alarm.onset,
    endedAt: at - alarm.recoverySamples * grid.stepMs,
    worst: presentable(watch, alarm.worst),
  };
  watch.alarm = null;
  watch.evidence = [];
  watch.begun = [];
  watch.suspect = 0;
  watch.suspectRequests = 0;
  watch.unlearned = watch.slot - (old ? 120 : 0);
  if (old) watch.normal = null;
}

function recoveryAt(watch: SignalWatch, alarm: Alarm, grid: SampleGrid, requests: RequestsAt): number {
  const { normal } = watch;
  const value = valueAt(grid, watch.slot);
  if (normal === null) return 0;
  if (normal.kind === "level")
    return levelRecovery(normal, scaled(normal, value), previousAt(normal, grid, watch.slot), alarm.current);
  const n = normal.bounded ? requests(timeOf(grid, watch.slot)) : 1;
  return n > 0 ? rateRecovery(normal, events(normal, value, n), n, alarm.current) : 0;
}

/** The usual value in the scale tested. */
function center(watch: SignalWatch): number {
  if (watch.normal === null) return Number.NaN;
  return watch.normal.kind === "rate" ? centerRate(watch.normal) : watch.normal.mean;
}

const presentable = (watch: SignalWatch, x: number): number =>
  watch.normal?.kind === "level" ? unscaled(watch.normal, x) : x;

/** The usual value and its limits in the signal's own unit; null before there is a history. */
export function usual(
  watch: SignalWatch,
  requestsAStep: number,
): { center: number; lower: number; upper: number } | null {
  const { normal } = watch;
  if (normal === null) return null;
  if (normal.kind === "level") return levelLimits(normal);
  const rate = centerRate(normal);
  const n = normal.bounded ? Math.max(1, requestsAStep) : 1;
  const reach = 3 * Math.sqrt((rate * dispersionOf(normal)) / n);
  return { center: rate, lower: Math.max(0, rate - reach), upper: Math.max(highestRate(normal), rate + reach) };
}

/** The present value of an alarm in the signal's own unit. */
export const presentValue = (watch: SignalWatch, alarm: Alarm): number => presentable(watch, alarm.current);
