import { median, robustScale } from "./robust.ts";
import { type SampleGrid, timeOf, valueAt } from "./sample-grid.ts";

const DAY_MS = 86_400_000;
const WEEK_DAYS = 7;
/** Samples within this span of the same time on an earlier day are "the same time of day". */
const NEAR_MS = 1_800_000;
/** So many of the same weekday, three weeks, are needed before weekdays are told apart: a median of three outvotes one incident. */
const LEAST_WEEKS = 3;

/** What is usual at this time, from days before: center, and robust deviation from day to day, in the signal's unit. */
export interface Season {
  readonly center: number;
  readonly scale: number;
  /** Days that it was learned from. */
  readonly days: number;
  /** How much the day of the week counts, 0–1; 0: only the time of day is known. */
  readonly weekday: number;
}

interface Day {
  readonly back: number;
  readonly level: number;
  readonly within: number;
}

/**
 * The same time on earlier days, from a coarse history. A past incident is outvoted by the other days (medians). Null
 * where fewer than two days are known: one day is no habit. With three weeks or more the day of the week counts as far
 * as weekdays really differ: its median is shrunk toward that of all days by the ratio of variances.
 * @see Efron & Morris (1975), "Data analysis using Stein's estimator and its generalizations", J. Am. Stat. Assoc. 70(350)
 */
export function seasonAt(history: SampleGrid, at: number): Season | null {
  const days = sameTimeOnDaysBefore(history, at);
  if (days.length < 2) return null;
  const levels = days.map(({ level }) => level);
  const usual = median(levels);
  const noise = median(days.map(({ within }) => within));
  const scale = Math.max(robustScale(levels, usual), noise);
  const same = days.filter(({ back }) => back % WEEK_DAYS === 0).map(({ level }) => level);
  if (same.length < LEAST_WEEKS) return { center: usual, scale, days: days.length, weekday: 0 };
  const weekday = weightOfWeekday(days, same.length);
  const own = median(same);
  const center = usual + weekday * (own - usual);
  const ownScale = Math.max(residualScale(days), noise);
  return { center, scale: ownScale * weekday + scale * (1 - weekday), days: days.length, weekday };
}

function sameTimeOnDaysBefore(history: SampleGrid, at: number): readonly Day[] {
  const days: Day[] = [];
  for (let back = 1; at - back * DAY_MS + NEAR_MS >= timeOf(history, history.first); back++) {
    const middle = at - back * DAY_MS;
    const values: number[] = [];
    const last = Math.floor((middle + NEAR_MS - history.originMs) / history.stepMs);
    for (let slot = Math.ceil((middle - NEAR_MS - history.originMs) / history.stepMs); slot <= last; slot++) {
      const value = valueAt(history, slot);
      if (!Number.isNaN(value)) values.push(value);
    }
    if (values.length > 0) days.push({ back, level: median(values), within: robustScale(values) });
  }
  return days;
}

const ofWeekday = (days: readonly Day[]): readonly (readonly number[])[] =>
  Array.from({ length: WEEK_DAYS }, (_, weekday) =>
    days.filter(({ back }) => back % WEEK_DAYS === weekday).map(({ level }) => level),
  ).filter((levels) => levels.length > 0);

/** Deviation of days from the median of their own weekday; one degree of freedom a weekday is spent on that median. */
function residualScale(days: readonly Day[]): number {
  const groups = ofWeekday(days);
  const residuals = groups.flatMap((levels) => {
    const middle = median(levels);
    return levels.map((level) => level - middle);
  });
  return robustScale(residuals, 0) * Math.sqrt(residuals.length / Math.max(1, residuals.length - groups.length));
}

/** Share of the difference between weekdays that is no chance: between/(between + within/n), 0–1. */
function weightOfWeekday(days: readonly Day[], n: number): number {
  const within = residualScale(days) ** 2;
  const middles = ofWeekday(days).map((levels) => median(levels));
  const mean = middles.reduce((sum, middle) => sum + middle, 0) / middles.length;
  const spread = middles.reduce((sum, middle) => sum + (middle - mean) ** 2, 0) / Math.max(1, middles.length - 1);
  const between = Math.max(0, spread - within / n);
  return between === 0 ? 0 : between / (between + within / n);
}
