import { median, robustScale } from "./robust.ts";
import { type SampleGrid, timeOf, valueAt } from "./sample-grid.ts";

const DAY_MS = 86_400_000;
/** Samples within this span of the same time on an earlier day are "the same time of day". */
const NEAR_MS = 1_800_000;

/** What is usual at this time of day, from days before: the median, and its robust deviation from day to day. */
export interface Season {
  readonly center: number;
  readonly scale: number;
  readonly days: number;
}

/**
 * The same time on earlier days, from a coarse history. A past incident is outvoted by the other days (medians).
 * Null where fewer than two days are known: one day is no habit. With less than three weeks of history the day of the
 * week cannot be told from the day itself; only the time of day is used.
 */
export function seasonAt(history: SampleGrid, at: number): Season | null {
  const days: number[] = [];
  const within: number[] = [];
  for (let back = 1; at - back * DAY_MS + NEAR_MS >= timeOf(history, history.first); back++) {
    const middle = at - back * DAY_MS;
    const values: number[] = [];
    const last = Math.floor((middle + NEAR_MS - history.originMs) / history.stepMs);
    for (let slot = Math.ceil((middle - NEAR_MS - history.originMs) / history.stepMs); slot <= last; slot++) {
      const value = valueAt(history, slot);
      if (!Number.isNaN(value)) values.push(value);
    }
    if (values.length === 0) continue;
    days.push(median(values));
    within.push(robustScale(values));
  }
  if (days.length < 2) return null;
  const center = median(days);
  return { center, scale: Math.max(robustScale(days, center), median(within)), days: days.length };
}
