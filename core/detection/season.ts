import { median, robustScale } from "./robust.ts";
import { type Bucket, bucketAt, middleOf, type SeasonHistory } from "./season-history.ts";

const DAY_MS = 86_400_000;
const WEEK_DAYS = 7;
/** Half hours whose middle lies within this span of the same time on an earlier day are "the same time of day". */
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

interface Day extends Bucket {
  readonly back: number;
}

/**
 * The same time on earlier days, from the half hours of a history. A past incident is outvoted by the other days (medians). Null
 * where fewer than two days are known: one day is no habit. With three weeks or more the day of the week counts as far
 * as weekdays really differ: its median is shrunk toward that of all days by the ratio of variances.
 * @see Efron & Morris (1975), "Data analysis using Stein's estimator and its generalizations", J. Am. Stat. Assoc. 70(350)
 */
export function seasonAt(history: SeasonHistory, at: number): Season | null {
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

function sameTimeOnDaysBefore(history: SeasonHistory, at: number): readonly Day[] {
  const days: Day[] = [];
  for (let back = 1; at - back * DAY_MS + NEAR_MS >= history.first * history.widthMs; back++) {
    const day = around(history, at - back * DAY_MS);
    if (day !== null) days.push({ back, ...day });
  }
  return days;
}

/** Of a rise along a straight line over two half hours, what their own deviations do not hold, as a part of the step between their medians. */
const ALONG_A_LINE = 2 * 1.4826 * Math.sqrt(1 / 4 ** 2 - 1 / 8 ** 2);

/**
 * The level at a time, along the line between the medians of the half hours before and after it, and the robust
 * deviation of the samples about it: theirs, and what the line itself rises. (Samples along a line over an hour deviate
 * by 1.4826/4 of its rise, those of each half by half of that.) Null where neither half hour has samples.
 */
function around(history: SeasonHistory, at: number): Bucket | null {
  const before = Math.floor((at - middleOf(history, 0)) / history.widthMs);
  const [low, high] = [before, before + 1].map((bucket) => {
    const isNear = Math.abs(middleOf(history, bucket) - at) <= NEAR_MS;
    const found = isNear ? bucketAt(history, bucket) : null;
    return found === null || Number.isNaN(found.level) ? null : found;
  });
  if (!low || !high) return low ?? high ?? null;
  const rise = high.level - low.level;
  const level = low.level + (rise * (at - middleOf(history, before))) / history.widthMs;
  return { level, within: Math.hypot((low.within + high.within) / 2, ALONG_A_LINE * rise) };
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
