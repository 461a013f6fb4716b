import type { Series } from "../model/signal.ts";
import type { Window } from "../model/time.ts";
import { type SampleGrid, timeOf, valueAt } from "./sample-grid.ts";

/** What the samples of a grid are of. */
type Sampled = Omit<Series, "startAt" | "stepMs" | "values"> & { readonly grid: SampleGrid };

/**
 * The samples of a signal in a window as a series, or null where none is held. Its values are copied out of the signal's memory
 * when they are first read: a look at an open incident takes the series of all signals, and reads a few. They are those of
 * the window that are held by then: whoever first reads them much later finds the oldest missing, as those of a signal
 * that was let go of.
 */
export function recentOf(signal: Sampled, window: Window): Series | null {
  const { grid, service, metric, unit, worse, labels } = signal;
  const first = Math.max(grid.first, Math.ceil((window.from - grid.originMs) / grid.stepMs));
  const last = Math.min(grid.next - 1, Math.floor((window.to - grid.originMs) / grid.stepMs));
  if (last < first) return null;
  let values: Series["values"] | undefined;
  return {
    service,
    metric,
    unit,
    worse,
    labels,
    startAt: timeOf(grid, first),
    stepMs: grid.stepMs,
    get values() {
      values ??= wholeStretch(grid, first, last) ?? stretchWithGaps(grid, first, last);
      return values;
    },
  };
}

/**
 * Numbers alone, which engines keep unboxed; null where a sample is missing, or the ring does not hold all of them. The list is
 * made in its length, and the ring walked without a division.
 */
function wholeStretch({ ring, shelved, next }: SampleGrid, first: number, last: number): readonly number[] | null {
  if (first < shelved || last >= next) return null;
  const values = new Array<number>(last - first + 1);
  let place = first % ring.length;
  for (let i = 0; i < values.length; i++) {
    const value = ring[place] ?? Number.NaN;
    if (Number.isNaN(value)) return null;
    values[i] = value;
    place = place + 1 === ring.length ? 0 : place + 1;
  }
  return values;
}

function stretchWithGaps(grid: SampleGrid, first: number, last: number): readonly (number | null)[] {
  const values: (number | null)[] = [];
  for (let slot = first; slot <= last; slot++) {
    const value = valueAt(grid, slot);
    values.push(Number.isNaN(value) ? null : value);
  }
  return values;
}
