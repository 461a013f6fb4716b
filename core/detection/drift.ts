import type { Onset } from "../model/finding.ts";
import { type Point, placeBreak } from "./broken-stick.ts";
import { mannKendall, median, robustScale, theilSenSlope } from "./robust.ts";
import { type SampleGrid, timeOf, valueAt, valuesBetween } from "./sample-grid.ts";

/** A slow, steady rise of a use toward its limit. Slope in limits (1.0) a millisecond. */
export interface Drift {
  readonly onset: Onset;
  readonly slopePerMs: number;
  readonly start: number;
  readonly current: number;
  /** When it reaches 1.0 if it goes on so; Unix ms. */
  readonly limitAt: number;
  readonly z: number;
  readonly samples: number;
}

const BLOCKS = 16;
/** z of 16 blocks of which nearly every pair rises; the most possible is 5.4. One-sided p < 10⁻⁵. */
const STEADY_Z = 4.3;
/** A limit further off than this many times the span watched is a guess, not a forecast. */
const FORECAST_SPANS = 8;
/** Less than a tenth of the limit is within what use does by itself. */
const LEAST_RISE = 0.1;

/**
 * Looks for a steady rise over the last 16, 32, 64, … samples: medians of 16 blocks, Mann–Kendall for steadiness,
 * Theil–Sen for the slope. It counts only if the rise is more than the scatter that is left around the line, if both
 * halves rise, and if the limit comes within reach. Null: none. `end`: the slot after the last one that is read.
 */
export function findDrift(grid: SampleGrid, limit = 1, end = grid.next): Drift | null {
  for (let span = BLOCKS; span <= end - grid.first; span *= 2) {
    const drift = driftOver(grid, span, limit, end);
    if (drift !== null) return drift;
  }
  return null;
}

/**
 * A drift is sought once in so many samples, counted from the signal's first one. At each sample it would be found up to
 * three earlier, and what only wanders would be taken for one more often: neighbouring looks are not one test.
 */
const SOUGHT_EVERY = 4;
/** What was found holds for a quarter of the span it was found over, and no longer than this, in samples. */
const MOST_HELD = 64;

/**
 * The newest drift that was found up to the end of the grid; `holds` says whether it still stands. It follows from the
 * samples and their order alone, whatever their times, so that whoever reads them at once and whoever saw each of them
 * come agree. `sought`: the slot up to which it was sought before, with what was found then.
 */
export function newestDrift(
  grid: SampleGrid,
  sought: { readonly slot: number; readonly drift: HeldDrift | null },
): { readonly slot: number; readonly drift: HeldDrift | null } {
  const last = grid.next - (grid.next % SOUGHT_EVERY);
  let found = sought.drift;
  const from = Math.max(sought.slot + SOUGHT_EVERY, last - MOST_HELD, grid.first + BLOCKS);
  const firstAligned = from + ((last - from) % SOUGHT_EVERY);
  for (let end = firstAligned; end <= last; end += SOUGHT_EVERY) {
    const drift = findDrift(grid, 1, end);
    if (drift !== null) found = { ...drift, end };
  }
  return { slot: Math.max(sought.slot, last), drift: found };
}

/** A drift with the slot after the last sample it was found from. */
export interface HeldDrift extends Drift {
  readonly end: number;
}

/**
 * A drift holds for a quarter of the span that it took to find it, unless most of the rise is gone: a few noisy samples
 * make the test fail, but they do not make a leak end.
 */
export function holds(grid: SampleGrid, drift: HeldDrift): boolean {
  if (grid.next - drift.end > Math.min(MOST_HELD, drift.samples / 4)) return false;
  const now = presentIn(grid, grid.next - 3, 3);
  return !(median(now) < (drift.start + drift.current) / 2); // missing samples end nothing
}

function driftOver(grid: SampleGrid, span: number, limit: number, end: number): Drift | null {
  const size = span / BLOCKS;
  const start = end - span;
  // Most signals do not rise at all: two samples say so before anything is sorted.
  if (!(highestOf(grid, end - 3) - lowestOf(grid, start) >= LEAST_RISE * limit)) return null;
  const blocks = risingBlocks(grid, start, size);
  if (blocks === null) return null;
  const z = mannKendall(blocks);
  const slope = theilSenSlope(blocks);
  const half = BLOCKS / 2;
  const halves = [theilSenSlope(blocks.slice(0, half)), theilSenSlope(blocks.slice(half))];
  const residuals = blocks.map((value, i) => value - slope * i);
  const rise = slope * (BLOCKS - 1);
  const current = blocks[BLOCKS - 1] ?? Number.NaN;
  const steady = halves.every((one) => one > slope / 2) && rise > 6 * robustScale(residuals);
  const toLimit = ((limit - current) / slope) * size * grid.stepMs;
  if (z < STEADY_Z || slope <= 0 || !steady || toLimit > FORECAST_SPANS * span * grid.stepMs) return null;
  if (rise < LEAST_RISE * limit) return null;
  const before = valuesBetween(grid, timeOf(grid, grid.first), timeOf(grid, start - 1));
  if (before.length >= 2 * BLOCKS && current < median(before) + 6 * robustScale(before)) return null; // it wanders so far anyway
  const onset = driftOnset(grid, end);
  const now = timeOf(grid, end - 1);
  return {
    onset,
    slopePerMs: slope / (size * grid.stepMs),
    start: blocks[0] ?? current,
    current,
    limitAt: Math.round(now + Math.max(0, toLimit)),
    z,
    samples: span,
  };
}

/**
 * Medians of the blocks; null where more than half of one is missing, or where two from the outer ends do not rise, which
 * alone makes too many pairs fall for a steady rise: if the last block is no higher than the first, each of the others is
 * out of order with one of them, which is 15 of 120 pairs, and 13 for the second from either end; `STEADY_Z` lets 11 fall.
 */
function risingBlocks(grid: SampleGrid, start: number, size: number): readonly number[] | null {
  const blocks = new Array<number>(BLOCKS).fill(Number.NaN);
  for (let outer = 0; outer < BLOCKS / 2; outer++) {
    const [early, late] = [outer, BLOCKS - 1 - outer];
    for (const block of [early, late]) {
      const values = presentIn(grid, start + block * size, size);
      if (values.length < size / 2) return null; // too many gaps to speak of a steady rise
      blocks[block] = median(values);
    }
    if (outer < 2 && (blocks[late] ?? 0) <= (blocks[early] ?? 0)) return null;
  }
  return blocks;
}

function presentIn(grid: SampleGrid, from: number, slots: number): readonly number[] {
  const values: number[] = [];
  for (let slot = from; slot < from + slots; slot++) {
    const value = valueAt(grid, slot);
    if (!Number.isNaN(value)) values.push(value);
  }
  return values;
}

/** A quarter of the span at either end tells what it was and what it is. */
const ENDS = 4;
/** What rises for the most part with the traffic is the traffic's. */
const FOR_THE_MOST_PART = 0.5;

/**
 * Whether the drift may be that of the traffic: what one request costs has risen by less than half of what the use has (on
 * the scale of ratios), from the first quarter of its span to the last. For a use that serving requests takes up, as of
 * CPU; memory is kept whatever is asked. Every morning brings such a rise, and no change is behind it. True
 * where requests are not counted, or there are hardly any. `requestsAt`: requests a step; NaN where unknown.
 * @see Gregg (2013), Systems Performance, ch. 2 "Workload characterization": use is read against the load
 */
export function mayFollowTraffic(grid: SampleGrid, drift: HeldDrift, requestsAt: (at: number) => number): boolean {
  const quarter = Math.floor(drift.samples / ENDS);
  const costs = (from: number): { readonly use: number; readonly cost: number } | null => {
    const read = Array.from({ length: quarter }, (_, i) => from + i)
      .map((slot) => ({ use: valueAt(grid, slot), requests: requestsAt(timeOf(grid, slot)) }))
      .filter(({ use, requests }) => use > 0 && requests > 0);
    if (read.length < quarter / 2) return null;
    return { use: median(read.map(({ use }) => use)), cost: median(read.map(({ use, requests }) => use / requests)) };
  };
  const [was, is] = [costs(drift.end - drift.samples), costs(drift.end - quarter)];
  if (was === null || is === null) return true;
  if (is.use <= was.use) return false;
  return Math.log(is.cost / was.cost) < FOR_THE_MOST_PART * Math.log(is.use / was.use);
}

/** The extremes of three neighbouring slots; NaN where all are missing, and then nothing rises. */
function highestOf(grid: SampleGrid, from: number): number {
  let highest = Number.NaN;
  for (let slot = from; slot < from + 3; slot++) {
    const value = valueAt(grid, slot);
    if (!(value <= highest) && !Number.isNaN(value)) highest = value;
  }
  return highest;
}
function lowestOf(grid: SampleGrid, from: number): number {
  let lowest = Number.NaN;
  for (let slot = from; slot < from + 3; slot++) {
    const value = valueAt(grid, slot);
    if (!(value >= lowest) && !Number.isNaN(value)) lowest = value;
  }
  return lowest;
}

/** What is known is read in so many blocks at most: the break is placed no finer than a sixty-fourth of it. */
const PLACES = 64;

/**
 * When the rise began: the posterior of the break of a broken stick (a level, then a line), every place as likely before,
 * from medians of up to 64 blocks of all that is known (`placeBreak`). Bounds: the central 95 %, and no nearer than a
 * quarter of the rise that was seen, since a rollout bends the line where it begins and use wanders in ways that a
 * straight line does not have; where the line may be older than all that is known, as much earlier as is known.
 */
function driftOnset(grid: SampleGrid, end: number): Onset {
  const size = Math.max(1, Math.ceil((end - grid.first) / PLACES));
  const points: Point[] = [];
  for (let from = end - Math.floor((end - grid.first) / size) * size; from + size <= end; from += size) {
    const values = presentIn(grid, from, size);
    if (values.length > 0) points.push({ x: from + (size - 1) / 2, y: median(values) });
  }
  const found = placeBreak(points, size);
  const timeAt = (x: number) => Math.round(timeOf(grid, 0) + x * grid.stepMs);
  const known = timeOf(grid, end - 1) - timeOf(grid, grid.first);
  const half = Math.round((size * grid.stepMs) / 2);
  const began = timeAt(found?.at ?? grid.first);
  const [early, late] = found === null ? [began, began] : [timeAt(found.early), timeAt(found.late)];
  const unsure = Math.max(half, Math.round((timeOf(grid, end - 1) - began) / 4));
  return {
    at: began,
    earliest: Math.max(0, Math.min(early - (found?.older === true ? known : half), began - unsure)),
    latest: Math.max(late + half, began + unsure),
  };
}
