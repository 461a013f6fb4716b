import { median, robustScale } from "./robust.ts";

/**
 * What was, half hour by half hour: the median of a signal's samples in each and their robust deviation, in rings of
 * fixed size. Six bytes a half hour instead of eight a sample: two weeks are 4 KB.
 *
 * Of the half hour that is under way the samples are kept, each in its place, so that a late one and one that is read
 * again mean what they mean everywhere (the first finite value stands). Once a later half hour has begun it is over:
 * what comes for it afterwards is ignored.
 */
export interface SeasonHistory {
  readonly stepMs: number;
  /** Half an hour, or the step of the samples where that is longer. Bucket b holds samples at b·width < t ≤ (b+1)·width. */
  readonly widthMs: number;
  /** Buckets held: first ≤ b < next; the newest is the one under way. */
  first: number;
  next: number;
  /** Medians at b mod length, in single precision; NaN is missing. */
  levels: Float32Array;
  /** Robust deviations at the same places, as `packed` writes them. */
  withins: Uint16Array;
  /** The samples of the bucket under way, by their place in it; NaN is missing. */
  readonly open: Float64Array;
}

const WIDTH_MS = 1_800_000;
const START_BUCKETS = 48;

/** Ready for samples from `from` (unix ms) on, `stepMs` apart. */
export function createSeasonHistory(from: number, stepMs: number): SeasonHistory {
  const widthMs = Math.max(WIDTH_MS, stepMs);
  const first = bucketOf(widthMs, from);
  return {
    stepMs,
    widthMs,
    first,
    next: first,
    levels: new Float32Array(START_BUCKETS).fill(Number.NaN),
    withins: new Uint16Array(START_BUCKETS),
    open: new Float64Array(Math.ceil(widthMs / stepMs)).fill(Number.NaN),
  };
}

const bucketOf = (widthMs: number, at: number): number => Math.ceil(at / widthMs) - 1;

/** Takes one sample; `capacityMs`: how much is ever held. Null, NaN and ±∞ are missing. Amortised O(1). */
export function takePast(history: SeasonHistory, at: number, value: number | null, capacityMs: number): void {
  const { widthMs, stepMs, open } = history;
  const bucket = bucketOf(widthMs, at);
  if (bucket >= history.next) advance(history, bucket + 1, Math.max(1, Math.ceil(capacityMs / widthMs)));
  if (bucket !== history.next - 1 || value === null || !Number.isFinite(value)) return;
  const place = Math.min(open.length - 1, Math.max(0, Math.round((at - bucket * widthMs) / stepMs) - 1));
  if (Number.isNaN(open[place] ?? 0)) open[place] = value + 0; // JSON knows no -0
}

function advance(history: SeasonHistory, next: number, capacity: number): void {
  if (history.next > history.first) close(history);
  const wanted = Math.min(capacity, next - history.first);
  if (wanted > history.levels.length) grow(history, Math.min(capacity, Math.max(wanted, 2 * history.levels.length)));
  const { levels } = history;
  for (let bucket = Math.max(history.next, next - levels.length); bucket < next; bucket++)
    levels[bucket % levels.length] = Number.NaN;
  history.next = next;
  history.first = Math.max(history.first, next - levels.length);
}

/** Sums up the bucket under way. */
function close(history: SeasonHistory): void {
  const { level, within } = summary(history.open);
  const place = (history.next - 1) % history.levels.length;
  history.levels[place] = Math.fround(level) + 0;
  history.withins[place] = packed(within);
  history.open.fill(Number.NaN);
}

function grow(history: SeasonHistory, length: number): void {
  const levels = new Float32Array(length).fill(Number.NaN);
  const withins = new Uint16Array(length);
  for (let bucket = history.first; bucket < history.next; bucket++) {
    levels[bucket % length] = history.levels[bucket % history.levels.length] ?? Number.NaN;
    withins[bucket % length] = history.withins[bucket % history.levels.length] ?? 0;
  }
  history.levels = levels;
  history.withins = withins;
}

/** Median and robust deviation of the samples of one bucket; a level of NaN where it has none. */
export interface Bucket {
  readonly level: number;
  readonly within: number;
}

function summary(samples: Float64Array): Bucket {
  const values = [...samples].filter((value) => !Number.isNaN(value));
  return { level: median(values), within: values.length === 0 ? 0 : robustScale(values) };
}

export function bucketAt(history: SeasonHistory, bucket: number): Bucket {
  if (bucket < history.first || bucket >= history.next) return { level: Number.NaN, within: 0 };
  if (bucket === history.next - 1) return summary(history.open);
  const place = bucket % history.levels.length;
  return { level: history.levels[place] ?? Number.NaN, within: unpacked(history.withins[place] ?? 0) };
}

/** The middle of the times of a bucket's samples. */
export const middleOf = ({ widthMs, stepMs }: SeasonHistory, bucket: number): number =>
  bucket * widthMs + (widthMs + stepMs) / 2;

/** Octaves on either side of 1 that a deviation may lie, and steps an octave: 0.14 % apart. 0 stands for 0. */
const OCTAVES = 63;
const FINENESS = 512;

function packed(deviation: number): number {
  if (!(deviation > 0)) return 0;
  return 1 + Math.round((Math.max(-OCTAVES, Math.min(OCTAVES, Math.log2(deviation))) + OCTAVES) * FINENESS);
}
const unpacked = (code: number): number => (code === 0 ? 0 : 2 ** ((code - 1) / FINENESS - OCTAVES));

/** Everything in it as plain JSON, and back. */
export const plainHistory = ({ levels, withins, open, ...rest }: SeasonHistory) => ({
  ...rest,
  levels: Array.from(levels, missingAsNull),
  withins: [...withins],
  open: Array.from(open, missingAsNull),
});
export const liveHistory = ({ levels, withins, open, ...rest }: ReturnType<typeof plainHistory>): SeasonHistory => ({
  ...rest,
  levels: Float32Array.from(levels, (value) => value ?? Number.NaN),
  withins: Uint16Array.from(withins),
  open: Float64Array.from(open, (value) => value ?? Number.NaN),
});
const missingAsNull = (value: number): number | null => (Number.isNaN(value) ? null : value);
