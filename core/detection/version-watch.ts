import type { Onset } from "../model/finding.ts";
import { createSpread, dispersionIn, learnSpread, type Spread } from "./dispersion.ts";
import { addUp, type Begun, hasDetected, strongest, takeEvidence } from "./e-detector.ts";
import { ALPHA, besideEvidence, bounded, type Counted, MATERIAL_ERROR_RATIO, MATERIAL_LEVEL } from "./evidence.ts";
import { locateOnset } from "./onset.ts";
import { logSumExp } from "./robust.ts";

/** What both arms counted in one step; null where one of them is not known or had no requests. */
export type ArmsAt = (slot: number) => { readonly fresh: Counted; readonly old: Counted } | null;

export interface VersionAlarm {
  readonly raisedAt: number;
  onset: Onset;
  /** Slot of the newest sample in which both served. */
  bothAt: number;
  /** Events and requests of both arms since the alarm's onset, halved every so often. */
  fresh: { k: number; n: number };
  old: { k: number; n: number };
  recovery: number;
  recoverySamples: number;
  samples: number;
}

/**
 * The running test of one version beside the others of its service, both serving: plain data, so that it can be stored.
 * It needs no history: the others are the baseline, and whatever hits all versions alike drops out.
 */
export interface VersionWatch {
  /** Share of requests that failed before two versions served (or that the others fail); the least that matters follows. */
  readonly usual: number;
  /** By how much errors within one step varied before, over independent ones: each version's bursts are taken to be so. */
  readonly bursts: number;
  /** Next slot to look at. */
  slot: number;
  /** How much the arms vary beside one another, about what their rates have been so far. */
  readonly spread: Spread;
  readonly learned: {
    samples: number;
    readonly fresh: { k: number; n: number };
    readonly old: { k: number; n: number };
  };
  evidence: number[];
  begun: Begun;
  suspect: number;
  alarm: VersionAlarm | null;
}

/** `usual`, `bursts`: of the service before two versions served. */
export const createVersionWatch = (usual: number, bursts: number, slot: number): VersionWatch => ({
  usual,
  bursts,
  slot,
  spread: createSpread(),
  learned: { samples: 0, fresh: { k: 0, n: 0 }, old: { k: 0, n: 0 } },
  evidence: [],
  begun: [],
  suspect: 0,
  alarm: null,
});

/** Ratios beyond what is tolerated that are bet on, doubling: of two neighbours one is never off by more than √2. */
const RATIOS = [1.5, 3, 6, 12, 24] as const;
/** Doubt begins here: samples are not learned from while the evidence is above it. */
const CALM_NATS = 2;
const RECOVERED_NATS = Math.log(1000);
const ONSET_SLOTS = 240;
const REFINE_SLOTS = 24;
/** The past of the two arms is forgotten by half in so many samples. */
const HALF_LIFE_SLOTS = 120;

/**
 * How many times as often as the others a version may fail and count as alike. Pods differ for good from one another
 * (their node, their share of hot keys): by as much as Kayenta's judge calls the same, a quarter. What matters comes on
 * top: a quarter of that, or 0.6 % of all requests.
 */
export const toleratedRatio = (usual: number): number => {
  const alike = 1 + MATERIAL_LEVEL;
  return Math.max(alike * (1 + MATERIAL_LEVEL), alike + MATERIAL_ERROR_RATIO / Math.max(usual, 1e-9));
};

/**
 * Judges the slots up to `end` (exclusive). `timeOf`: the end of a slot's step, Unix ms; `stepMs`: its length; `alpha`:
 * what it may spend a sample, 0 to 1. Amortised O(1) a sample.
 */
export function followVersion(
  watch: VersionWatch,
  arms: ArmsAt,
  end: number,
  { timeOf, stepMs }: { readonly timeOf: (slot: number) => number; readonly stepMs: number },
  alpha = ALPHA,
): void {
  for (; watch.slot < end; watch.slot++) {
    const both = arms(watch.slot);
    if (both === null) continue;
    const nats = evidenceOf(watch, both).map(bounded);
    addUp(watch.evidence, nats);
    takeEvidence(watch.begun, nats);
    if (watch.alarm !== null) {
      goOn(watch, watch.alarm, both, { arms, timeOf, stepMs });
      continue;
    }
    const calm = strengthOf(watch) <= CALM_NATS;
    watch.suspect = calm ? 0 : watch.suspect + 1;
    if (hasDetected(watch.begun, alpha)) raise(watch, { arms, timeOf, stepMs });
    else if (calm) learn(watch, both);
  }
}

/** Evidence for "worse than the others" now, in nats. */
export const strengthOf = ({ evidence }: VersionWatch): number => strongest(evidence);

interface Place {
  readonly arms: ArmsAt;
  readonly timeOf: (slot: number) => number;
  readonly stepMs: number;
}
type Both = NonNullable<ReturnType<ArmsAt>>;

/** What makes arms differ for long is in the ratio that is tolerated: nothing is added for it before it is seen. */
const dispersionOf = ({ spread, bursts }: VersionWatch): number => dispersionIn(spread, { within: bursts, growth: 1 });

function evidenceOf(watch: VersionWatch, { fresh, old }: Both): readonly number[] {
  const tolerated = toleratedRatio(watch.usual);
  const dispersion = dispersionOf(watch);
  return RATIOS.map((ratio) => besideEvidence(fresh, old, { ratio, tolerated, dispersion }));
}

/**
 * Of the events that both had, each arm has the part that its requests and its rate so far give it. How far off that is
 * says how much arms vary; that one fails more than the other for good says nothing of it. The sample is a part of the
 * mean that it is held against, hence Bessel's correction.
 */
function learn(watch: VersionWatch, { fresh, old }: Both): void {
  const { learned, spread } = watch;
  for (const [arm, counted] of [
    [learned.fresh, fresh],
    [learned.old, old],
  ] as const) {
    arm.k += counted.k;
    arm.n += counted.n;
  }
  learned.samples += 1;
  if (learned.samples < 2) return;
  const [a, b] = [fresh.n * rateOf(learned.fresh), old.n * rateOf(learned.old)];
  const events = fresh.k + old.k;
  const share = a / (a + b);
  const off = (fresh.k - events * share) * Math.sqrt(learned.samples / (learned.samples - 1));
  learnSpread(spread, off, events * share * (1 - share), 0.5 ** (1 / HALF_LIFE_SLOTS));
}

function raise(watch: VersionWatch, place: Place): void {
  const at = place.timeOf(watch.slot);
  const alarm: VersionAlarm = {
    raisedAt: at,
    onset: onsetOf(watch, place) ?? { at: at - place.stepMs, earliest: at - place.stepMs, latest: at },
    bothAt: watch.slot,
    fresh: { k: 0, n: 0 },
    old: { k: 0, n: 0 },
    recovery: 0,
    recoverySamples: 0,
    samples: Math.max(1, watch.suspect),
  };
  watch.alarm = alarm;
  for (let slot = Math.max(0, watch.slot - watch.suspect + 1); slot <= watch.slot; slot++) {
    const both = place.arms(slot);
    if (both !== null) add(alarm, both);
  }
}

function add(alarm: VersionAlarm, both: Both): void {
  const keep = 0.5 ** (1 / 8);
  for (const arm of ["fresh", "old"] as const)
    for (const part of ["k", "n"] as const) alarm[arm][part] = alarm[arm][part] * keep + both[arm][part];
}

function goOn(watch: VersionWatch, alarm: VersionAlarm, both: Both, place: Place): void {
  alarm.bothAt = watch.slot;
  alarm.samples += 1;
  const tolerated = toleratedRatio(watch.usual);
  // "Alike" against "half as far off as it was", in logarithms.
  const ratio = Math.max(1.25, Math.sqrt(rateOf(alarm.fresh) / rateOf(alarm.old) / tolerated));
  const dispersion = dispersionOf(watch);
  const nats = bounded(-besideEvidence(both.fresh, both.old, { ratio, tolerated, dispersion }));
  alarm.recovery = Math.max(0, alarm.recovery + nats);
  alarm.recoverySamples = alarm.recovery === 0 ? 0 : alarm.recoverySamples + 1;
  if (alarm.recoverySamples === 0) {
    add(alarm, both);
    if (place.timeOf(watch.slot) - alarm.raisedAt <= REFINE_SLOTS * place.stepMs)
      alarm.onset = onsetOf(watch, place) ?? alarm.onset;
  }
  if (alarm.recovery < RECOVERED_NATS || alarm.recoverySamples < 2) return;
  Object.assign(watch, { alarm: null, evidence: [], begun: [], suspect: 0 });
}

/** Events a request; half an event is added, so that it is never zero (Jeffreys). */
export const rateOf = ({ k, n }: Counted): number => (k + 0.5) / (n + 1);

function onsetOf(watch: VersionWatch, { arms, timeOf, stepMs }: Place): Onset | null {
  const from = Math.max(0, watch.slot - ONSET_SLOTS);
  const surprises: number[] = [];
  for (let slot = from; slot <= watch.slot; slot++) {
    const both = arms(slot);
    const all = both === null ? [] : evidenceOf(watch, both).map(bounded);
    surprises.push(both === null ? Number.NaN : logSumExp(all) - Math.log(all.length));
  }
  const first = surprises.findIndex((one) => !Number.isNaN(one));
  return first < 0 ? null : locateOnset(surprises.slice(first), timeOf(from + first), stepMs);
}
