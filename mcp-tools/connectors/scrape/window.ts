import { addCell, addGauges, addIncrements, type Cell, emptyCell } from "./cell.ts";
import type { Measure } from "./measure.ts";
import type { Reading, Tick } from "./reading.ts";

export interface WindowOptions {
  /** The scheduler's interval: one cell each. */
  readonly intervalMs: number;
  /** How far back cells are kept. */
  readonly windowMs: number;
  /** Services × versions that are kept at once; more are dropped and counted. */
  readonly maxTracks: number;
  readonly defaultCores: number;
}

/** One service and version over time. Cells by the number of their step since the epoch. */
export interface Track {
  readonly service: string;
  readonly version: string;
  readonly cells: Map<number, Cell>;
}

/**
 * The bounded past, a cell for each step in which something was measured. Taking in a tick costs in proportion to its
 * readings; nothing is worked out again from older ones.
 *
 * A tick belongs to the step that ends nearest to it: with ticks at the grid's points, jitter of less than half an interval
 * cannot push two ticks into one step or leave a step empty. After a missed answer the next increment covers two steps;
 * it counts, as a mean over both, for the later one alone, since a step that was told unknown stays so.
 */
export class SlidingWindow {
  readonly #options: WindowOptions;
  readonly #tracks = new Map<string, Track>();
  #last = Number.NEGATIVE_INFINITY;
  #dropped = 0;

  constructor(options: WindowOptions) {
    this.#options = options;
  }

  /** End of the newest step that a tick has completed, Unix ms; -Infinity before the first tick. */
  get completeUntil(): number {
    return this.#last;
  }

  /** Readings not kept because there were more services and versions than `maxTracks`. */
  get dropped(): number {
    return this.#dropped;
  }

  get tracks(): Iterable<Track> {
    return this.#tracks.values();
  }

  add(tick: Tick): void {
    const { intervalMs, defaultCores } = this.#options;
    const half = intervalMs / 2;
    for (const reading of tick.readings) {
      const now = this.#cell(reading, tick.at - half);
      if (now === null) continue;
      addGauges(now, tick.at, reading);
      addIncrements(now, tick.at, reading, defaultCores);
    }
    for (const gone of tick.missing) {
      const cell = this.#cell(gone, tick.at - half);
      if (cell !== null) cell.missing += gone.targets;
    }
    this.#last = Math.max(this.#last, Math.ceil((tick.at - half) / intervalMs) * intervalMs);
    this.#prune();
  }

  #cell({ service, version }: Pick<Reading, "service" | "version">, middle: number): Cell | null {
    const key = JSON.stringify([service, version]);
    let track = this.#tracks.get(key);
    if (track === undefined) {
      if (this.#tracks.size >= this.#options.maxTracks) {
        this.#dropped += 1;
        return null;
      }
      track = { service, version, cells: new Map() };
      this.#tracks.set(key, track);
    }
    const index = Math.ceil(middle / this.#options.intervalMs);
    const cell = track.cells.get(index) ?? emptyCell();
    track.cells.set(index, cell);
    return cell;
  }

  /** Cells were added in the order of time but for neighbours, so the old ones stand first. */
  #prune(): void {
    const oldest = (this.#last - this.#options.windowMs) / this.#options.intervalMs;
    for (const [key, track] of this.#tracks) {
      for (const index of track.cells.keys()) {
        if (index >= oldest) break;
        track.cells.delete(index);
      }
      if (track.cells.size === 0) this.#tracks.delete(key);
    }
  }
}

/** The steps of an output grid for one or several tracks together: base cells joined by the step that they lie in. */
export function joined(
  tracks: readonly Track[],
  intervalMs: number,
  grid: { readonly startAt: number; readonly stepMs: number; readonly count: number },
): readonly (Cell | null)[] {
  const steps: (Cell | null)[] = new Array(grid.count).fill(null);
  const first = Math.floor((grid.startAt - grid.stepMs) / intervalMs);
  const last = Math.ceil((grid.startAt + (grid.count - 1) * grid.stepMs) / intervalMs);
  for (const { cells } of tracks) {
    for (let index = first; index <= last; index += 1) {
      const cell = cells.get(index);
      if (cell === undefined) continue;
      const step = Math.ceil(((index - 0.5) * intervalMs - grid.startAt) / grid.stepMs);
      if (step < 0 || step >= grid.count) continue;
      let into = steps[step] ?? null;
      if (into === null) {
        into = emptyCell();
        steps[step] = into;
      }
      addCell(into, cell);
    }
  }
  return steps;
}

/**
 * Values as a `rate` over `span` steps would give them: each step is measured over itself and those before it. A step in
 * which nothing was measured stays unknown, while `rate` would go on telling of the past (S9). Gauges are not smoothed.
 *
 * Sliding sums without subtraction, three additions a step whatever the span: each window is the end of one block of
 * `span` steps and the beginning of the next.
 *
 * @see van Herk (1992), Pattern Recognition Letters 13(7):517–521, doi:10.1016/0167-8655(92)90069-C
 */
export function smoothed(steps: readonly (Cell | null)[], span: number, measure: Measure): readonly (number | null)[] {
  if (span === 1) return steps.map((step) => (step === null ? null : measure(step)));
  const upTo = runningSums(steps, span, 0, 1);
  const from = runningSums(steps, span, steps.length - 1, -1);
  return steps.map((step, at) => {
    if (step === null || measure(step) === null) return null;
    const sum = emptyCell();
    const begin = at - span + 1;
    const before = begin % span === 0 ? null : from[Math.max(0, begin)];
    if (before !== null && before !== undefined && begin > 0) addCell(sum, before);
    const now = upTo[at];
    if (now !== undefined) addCell(sum, now);
    const { missing, memory, gaugeTicks, custom } = step;
    return measure({ ...sum, missing, memory, gaugeTicks, custom });
  });
}

/** For each step the sum from it to the border of its block, on the side that the walk (`by` 1 or -1) comes from. */
function runningSums(steps: readonly (Cell | null)[], span: number, begin: number, by: 1 | -1): readonly Cell[] {
  const sums: Cell[] = new Array(steps.length);
  let running = emptyCell();
  for (let at = begin; at >= 0 && at < steps.length; at += by) {
    const borders = by === 1 ? at % span === 0 : at % span === span - 1;
    const next = emptyCell();
    if (!borders) addCell(next, running);
    const step = steps[at];
    if (step !== null && step !== undefined) addCell(next, step);
    sums[at] = next;
    running = next;
  }
  return sums;
}
