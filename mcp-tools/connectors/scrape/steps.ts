import { addBuckets, type Buckets } from "./quantile.ts";
import type { CustomReading } from "./reading.ts";
import { addCustom, COLUMNS, type Column, type Track } from "./track.ts";

/** What is known of a span of one or more steps, over one or more tracks; see `Column` for what each number means. */
export interface Sums extends Readonly<Record<Column, number>> {
  readonly histogram: () => Buckets | null;
  readonly custom: CustomReading | undefined;
}

/** Reads one metric from sums, in the metric's own unit; null where they do not tell. */
export interface Measure {
  readonly of: (sums: Sums) => number | null;
  /** Whether it reads the histogram, which is left out for those that do not. */
  readonly histogram?: boolean;
  /** The metric whose custom readings it reads. */
  readonly custom?: string;
  /** It tells of the moment, not of a span: never smoothed. */
  readonly gauge?: boolean;
}

export interface StepGrid {
  readonly startAt: number;
  readonly stepMs: number;
  readonly count: number;
}

/**
 * A metric of one or several tracks together on a grid. `span` > 1: each value is over so many steps, as a `rate` over
 * that window would have it; a step in which nothing was measured stays unknown all the same, while `rate` would go on
 * telling of the past (S9). Cost: linear in the grid, whatever the span.
 */
export function valuesOf(
  tracks: readonly Track[],
  intervalMs: number,
  grid: StepGrid,
  span: number,
  measure: Measure,
): readonly (number | null)[] {
  const before = measure.gauge === true ? 0 : span - 1;
  const wider = { ...grid, startAt: grid.startAt - before * grid.stepMs, count: grid.count + before };
  const steps = stepsOf(tracks, intervalMs, wider, measure);
  const running = before === 0 ? null : steps.emptySums();
  const values: (number | null)[] = [];
  for (let at = 0; at < wider.count; at += 1) {
    running?.add(at, 1);
    if (running !== null && at > before) running.add(at - before - 1, -1);
    if (at < before) continue;
    const alone = measure.of(steps.at(at));
    values.push(alone === null || running === null ? alone : measure.of(running.sums(at)));
  }
  return values;
}

/** Base steps joined into the grid's steps, and tracks into one. */
function stepsOf(tracks: readonly Track[], intervalMs: number, grid: StepGrid, measure: Measure) {
  const columns = newColumns(grid.count);
  const layouts = new Map<string, { bounds: readonly number[]; counts: Float64Array; readings: Float64Array }>();
  const custom: (CustomReading | undefined)[] = [];
  const first = Math.floor((grid.startAt - grid.stepMs) / intervalMs);
  const last = Math.ceil((grid.startAt + (grid.count - 1) * grid.stepMs) / intervalMs);
  // Ticks are the same for all tracks: the base step's number of them is the largest, not the sum.
  const ticks = new Map<number, number>();
  const gaugeTicks = new Map<number, number>();

  for (const track of tracks) {
    track.visit(first, last, (step, chunk, slot) => {
      const at = Math.ceil(((step - 0.5) * intervalMs - grid.startAt) / grid.stepMs);
      if (at < 0 || at >= grid.count) return;
      for (const name of COLUMNS) {
        const value = chunk.columns[name][slot] ?? 0;
        const column = columns[name];
        if (name === "memory") column[at] = larger(column[at] ?? Number.NaN, value);
        else if (name === "ticks") column[at] = (column[at] ?? 0) + growth(ticks, step, value);
        else if (name === "gaugeTicks") column[at] = (column[at] ?? 0) + growth(gaugeTicks, step, value);
        else column[at] = (column[at] ?? 0) + value;
      }
      if (measure.custom !== undefined) {
        const more = chunk.custom.get(measure.custom)?.[slot];
        if (more !== undefined) custom[at] = addCustom(custom[at], more);
      }
      if (measure.histogram !== true) return;
      for (const [key, { bounds, counts, readings }] of chunk.layouts) {
        let into = layouts.get(key);
        if (into === undefined) {
          into = {
            bounds,
            counts: new Float64Array(grid.count * bounds.length),
            readings: new Float64Array(grid.count),
          };
          layouts.set(key, into);
        }
        into.readings[at] = (into.readings[at] ?? 0) + (readings[slot] ?? 0);
        const [to, from] = [at * bounds.length, slot * bounds.length];
        for (let i = 0; i < bounds.length; i += 1)
          into.counts[to + i] = (into.counts[to + i] ?? 0) + (counts[from + i] ?? 0);
      }
    });
  }

  const histogramAt = (at: number): Buckets | null =>
    addBuckets(
      [...layouts.values()]
        .filter(({ readings }) => (readings[at] ?? 0) > 0)
        .map(({ bounds, counts }) => ({
          bounds,
          counts: counts.subarray(at * bounds.length, (at + 1) * bounds.length),
        })),
    );

  // One object each for a step and for a window, filled anew for each step: these are the hot loops.
  const step = newSums();
  return {
    at(at: number): Sums {
      for (const name of COLUMNS) step[name] = columns[name][at] ?? 0;
      step.histogram = () => histogramAt(at);
      step.custom = custom[at];
      return step;
    },
    /** Sums that steps are added to and taken from again; counts are whole numbers, so nothing is lost in between. */
    emptySums() {
      const sums = newSums();
      const histograms = [...layouts.values()].map((layout) => ({
        layout,
        readings: 0,
        counts: new Float64Array(layout.bounds.length),
      }));
      sums.histogram = () =>
        addBuckets(
          histograms
            .filter(({ readings }) => readings > 0)
            .map(({ layout, counts }) => ({ bounds: layout.bounds, counts })),
        );
      return {
        add(at: number, sign: 1 | -1): void {
          for (const name of COLUMNS) sums[name] += sign * (columns[name][at] ?? 0);
          for (const one of histograms) {
            const width = one.layout.bounds.length;
            one.readings += sign * (one.layout.readings[at] ?? 0);
            for (let i = 0; i < width; i += 1)
              one.counts[i] = (one.counts[i] ?? 0) + sign * (one.layout.counts[at * width + i] ?? 0);
          }
        },
        /** Who is missing is said of the last step alone: what they counted meanwhile comes with their next answer. */
        sums(at: number): Sums {
          sums.missing = columns.missing[at] ?? 0;
          return sums;
        },
      };
    },
  };
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

function newColumns(count: number): Readonly<Record<Column, Float64Array>> {
  const columns: Partial<Record<Column, Float64Array>> = {};
  for (const name of COLUMNS) columns[name] = new Float64Array(count).fill(name === "memory" ? Number.NaN : 0);
  return columns as Record<Column, Float64Array>;
}

function newSums(): Mutable<Sums> {
  return {
    ticks: 0,
    gaugeTicks: 0,
    readings: 0,
    elapsedMs: 0,
    missing: 0,
    requestless: 0,
    requestReadings: 0,
    requests: 0,
    judged: 0,
    errors: 0,
    cpuSeconds: 0,
    cpuBudgetSeconds: 0,
    memory: 0,
    histogram: () => null,
    custom: undefined,
  };
}

function growth(seen: Map<number, number>, step: number, value: number): number {
  const before = seen.get(step) ?? 0;
  if (value <= before) return 0;
  seen.set(step, value);
  return value - before;
}

function larger(a: number, b: number): number {
  return a > b || Number.isNaN(b) ? a : b;
}
