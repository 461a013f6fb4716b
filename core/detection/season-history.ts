import { median, robustScale } from "./robust.ts";

/**
 * What was, half hour by half hour: the median of a signal's samples in each, and for every four of them how much
 * samples deviate within one. In a ring of 16-bit codes, so that two weeks of a signal are 1.7 KB.
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
  /** Blocks of four buckets, block n at n mod the number of blocks: the code of each median, then that of the deviation. */
  codes: Uint16Array;
  /** The samples of the bucket under way, by their place in it; NaN is missing. */
  readonly open: number[];
  /** The deviations within the buckets of its block that are over; NaN is missing. */
  readonly withins: number[];
}

const WIDTH_MS = 1_800_000;
/** Buckets of a block. How much samples deviate changes slowly with the time of day: once in two hours is enough. */
const BLOCK = 4;
const CODES = BLOCK + 1;
const START_BLOCKS = 12;
const EMPTY = new Uint16Array(0);

/** Ready for samples from `from` (unix ms) on, `stepMs` apart. */
export function createSeasonHistory(from: number, stepMs: number): SeasonHistory {
  const widthMs = Math.max(WIDTH_MS, stepMs);
  const first = bucketOf(widthMs, from);
  return {
    stepMs,
    widthMs,
    first,
    next: first,
    codes: EMPTY,
    open: new Array<number>(Math.ceil(widthMs / stepMs)).fill(Number.NaN),
    withins: new Array<number>(BLOCK).fill(Number.NaN),
  };
}

/** Codes a page: 64 KB. */
const PAGE = 32_768;
let page = new Uint16Array(0);
let used = 0;

/** So many codes, all 0: a part of a page, since an array of its own costs a signal some 300 bytes more. */
function room(length: number): Uint16Array {
  if (used + length > page.length) {
    page = new Uint16Array(Math.max(PAGE, length));
    used = 0;
  }
  used += length;
  return page.subarray(used - length, used);
}

function copied(codes: readonly number[]): Uint16Array {
  const own = room(codes.length);
  own.set(codes);
  return own;
}

const bucketOf = (widthMs: number, at: number): number => Math.ceil(at / widthMs) - 1;

/** Makes room for `spanMs` more of samples at once, as far as `capacityMs` allows: growing step by step copies often. */
export function makeRoom(history: SeasonHistory, spanMs: number, capacityMs: number): void {
  const buckets = history.next - history.first + Math.ceil(spanMs / history.widthMs) + 1;
  const blocks = Math.min(blocksFor(history, capacityMs), Math.ceil(buckets / BLOCK) + 1);
  if (blocks * CODES > history.codes.length) grow(history, blocks);
}

/** Blocks that hold so much wherever it begins. */
const blocksFor = ({ widthMs }: SeasonHistory, capacityMs: number): number =>
  Math.max(1, Math.ceil(capacityMs / widthMs / BLOCK)) + 1;

/** Takes one sample; `capacityMs`: how much is held at least. Null, NaN and ±∞ are missing. Amortised O(1). */
export function takePast(history: SeasonHistory, at: number, value: number | null, capacityMs: number): void {
  const { widthMs, stepMs, open } = history;
  const bucket = bucketOf(widthMs, at);
  if (bucket >= history.next) advance(history, bucket + 1, capacityMs);
  if (bucket !== history.next - 1 || value === null || !Number.isFinite(value)) return;
  const place = Math.min(open.length - 1, Math.max(0, Math.round((at - bucket * widthMs) / stepMs) - 1));
  if (Number.isNaN(open[place] ?? 0)) open[place] = value + 0; // JSON knows no -0
}

/** Forgets what is older than the newest `capacityMs`, and gives its memory back. */
export function keepNewest(history: SeasonHistory, capacityMs: number): void {
  const most = blocksFor(history, capacityMs);
  if (most * CODES >= history.codes.length) return;
  history.first = Math.max(history.first, (blockOf(history.next - 1) - most + 1) * BLOCK);
  grow(history, most);
}

function advance(history: SeasonHistory, next: number, capacityMs: number): void {
  if (history.next > history.first) close(history);
  const last = blockOf(next - 1);
  const most = blocksFor(history, capacityMs);
  const wanted = Math.min(most, last - blockOf(history.first) + 1);
  const had = history.codes.length / CODES;
  if (wanted > had) grow(history, Math.min(most, Math.max(wanted, 2 * had, START_BLOCKS)));
  const blocks = history.codes.length / CODES;
  const newest = history.next > history.first ? blockOf(history.next - 1) : blockOf(history.first) - 1;
  for (let block = Math.max(newest + 1, last - blocks + 1); block <= last; block++)
    history.codes.fill(0, (block % blocks) * CODES, ((block % blocks) + 1) * CODES);
  if (last > newest) history.withins.fill(Number.NaN);
  history.next = next;
  history.first = Math.max(history.first, (last - blocks + 1) * BLOCK);
}

const blockOf = (bucket: number): number => Math.floor(bucket / BLOCK);

/** Where the codes of a bucket's block begin. */
const placeOf = ({ codes }: SeasonHistory, bucket: number): number =>
  (blockOf(bucket) % (codes.length / CODES)) * CODES;

/** Sums up the bucket under way. */
function close(history: SeasonHistory): void {
  const { codes, withins, open } = history;
  const bucket = history.next - 1;
  const values = known(open);
  if (values.length === 0) return;
  const level = median(values);
  codes[placeOf(history, bucket) + (bucket % BLOCK)] = packed(level);
  withins[bucket % BLOCK] = robustScale(values, level);
  codes[placeOf(history, bucket) + BLOCK] = packed(median(known(withins)));
  open.fill(Number.NaN);
}

const known = (values: readonly number[]): readonly number[] => values.filter((value) => !Number.isNaN(value));

/** Also shrinks, as far as what is held fits. */
function grow(history: SeasonHistory, blocks: number): void {
  const { codes, first, next } = history;
  const had = codes.length / CODES;
  const grown = room(blocks * CODES);
  for (let block = blockOf(first); block <= blockOf(next - 1); block++) {
    const from = (block % had) * CODES;
    grown.set(codes.subarray(from, from + CODES), (block % blocks) * CODES);
  }
  history.codes = grown;
}

/** The median of a bucket's samples and their robust deviation; a level of NaN where it has none. */
export interface Bucket {
  readonly level: number;
  readonly within: number;
}

export function bucketAt(history: SeasonHistory, bucket: number): Bucket {
  if (bucket < history.first || bucket >= history.next) return { level: Number.NaN, within: 0 };
  if (bucket === history.next - 1) {
    const values = known(history.open);
    return { level: median(values), within: values.length === 0 ? 0 : robustScale(values) };
  }
  const place = placeOf(history, bucket);
  const level = unpacked(history.codes[place + (bucket % BLOCK)] ?? 0);
  return { level, within: unpacked(history.codes[place + BLOCK] ?? 0) };
}

/** The middle of the times of a bucket's samples. */
export const middleOf = ({ widthMs, stepMs }: SeasonHistory, bucket: number): number =>
  bucket * widthMs + (widthMs + stepMs) / 2;

/**
 * A number in 16 bits: its sign and its logarithm, 255 steps an octave, which keeps it to 0.14 %, a hundredth of what
 * the levels of a time of day are compared by. 2⁻⁶⁴ to 2⁶⁴; what lies beyond is written as that. 0 stands for missing.
 */
const SIGN = 0x8000;
const OCTAVES = 64;
const FINENESS = 255;
const ZERO = SIGN;

function packed(value: number): number {
  if (Number.isNaN(value)) return 0;
  if (value === 0) return ZERO;
  const octave = Math.max(-OCTAVES, Math.min(OCTAVES, Math.log2(Math.abs(value))));
  return (value < 0 ? SIGN : 0) + 1 + Math.round((octave + OCTAVES) * FINENESS);
}

function unpacked(code: number): number {
  if (code === 0) return Number.NaN;
  if (code === ZERO) return 0;
  const size = 2 ** (((code & ~SIGN) - 1) / FINENESS - OCTAVES);
  return (code & SIGN) === 0 ? size : -size;
}

/** Everything in it as plain JSON, and back. */
export const plainHistory = ({ codes, open, withins, ...rest }: SeasonHistory) => ({
  ...rest,
  codes: [...codes],
  open: open.map(missingAsNull),
  withins: withins.map(missingAsNull),
});
export const liveHistory = ({ codes, open, withins, ...rest }: ReturnType<typeof plainHistory>): SeasonHistory => ({
  ...rest,
  codes: copied(codes),
  open: open.map(nullAsMissing),
  withins: withins.map(nullAsMissing),
});
const missingAsNull = (value: number): number | null => (Number.isNaN(value) ? null : value);
const nullAsMissing = (value: number | null): number => value ?? Number.NaN;
