import { median } from "./robust.ts";
import { createTailHistory, quantileOf, remember, surpriseOf, type TailHistory } from "./tail-history.ts";

/**
 * How strange each sample of any one series is, 0–1, from it and earlier samples alone; for series of which nothing is
 * known beforehand: no unit, no direction, no traffic. The engine's tests speak of what hurts; this speaks of what is
 * new. Bounded memory and work a sample.
 *
 * Twelve views of a sample (its level, its step, means and shifts of means over four lengths, distance to the same time
 * on other days) each give the rarity of what they see among what they saw before; the score follows from the geometric
 * mean of the rarest third, so that one noisy view alone does not decide. Once something was called strange, only
 * something stranger is news, for as long as that fades.
 * @see Vovk & Wang, "Combining p-values via averaging", Biometrika 107(4), 2020 (geometric means of p-values)
 */
export interface AnomalyScorer {
  readonly views: Map<string, TailHistory>;
  readonly levels: TailHistory;
  /** Running sums of the newest values, for means; as many as the longest two windows. */
  readonly sums: number[];
  seen: number;
  previous: number;
  /** The newest values at each quarter of an hour of the day. */
  readonly days: Map<number, number[]>;
  peak: number;
  peakAt: number;
}

/** Five weeks of five-minute samples, about. */
const CAPACITY = 10_000;
/** Means over these many samples: from a few samples to half a day of five-minute ones, in powers of about four. */
const LENGTHS = [4, 16, 64, 144] as const;
const LONGEST = 2 * 144;
const RAREST = 4;
const QUARTER_HOUR_MS = 900_000;
const DAY_MS = 86_400_000;
/** A habit takes three days at least to show; three weeks of quarter hours with samples each minute are kept. */
const LEAST_SAME_TIME = 3;
const MOST_SAME_TIME = 21 * 15;
/** Half a day: who was told in the evening need not be told again at night of the same or less. */
const FADES_MS = DAY_MS / 2;
/** One in ten thousand at every view scores 0.9. */
const DECADES = 4;

export function createAnomalyScorer(): AnomalyScorer {
  return {
    views: new Map(),
    levels: createTailHistory(CAPACITY),
    sums: [],
    seen: 0,
    previous: Number.NaN,
    days: new Map(),
    peak: 0,
    peakAt: 0,
  };
}

/**
 * The score of the next sample, and takes it in. `at`: Unix ms, not before the last one's. A missing sample scores null
 * and changes nothing: silence is unknown.
 */
export function nextScore(scorer: AnomalyScorer, at: number, value: number | null): number | null {
  if (value === null || !Number.isFinite(value)) return null;
  const seen = strangeness(scorer, at, value);
  const surprises = [...seen].map(([view, distance]) => {
    const history = scorer.views.get(view) ?? createTailHistory(CAPACITY);
    scorer.views.set(view, history);
    const surprise = surpriseOf(history, distance);
    remember(history, distance);
    return surprise;
  });
  takeIn(scorer, at, value);
  const rarest = surprises.sort((a, b) => b - a).slice(0, RAREST);
  const combined = rarest.reduce((sum, surprise) => sum + surprise, 0) / RAREST;
  const faded = scorer.peak * 0.5 ** (Math.max(0, at - scorer.peakAt) / FADES_MS);
  if (combined <= faded) return 0;
  scorer.peak = combined;
  scorer.peakAt = at;
  return 1 - 10 ** (-combined / DECADES);
}

/** Distance from what was usual, by view; a view that knows too little is left out. */
function strangeness(scorer: AnomalyScorer, at: number, value: number): ReadonlyMap<string, number> {
  const views = new Map<string, number>();
  const usual = quantileOf(scorer.levels, 0.5);
  if (!Number.isNaN(usual)) views.set("level", Math.abs(value - usual));
  if (!Number.isNaN(scorer.previous)) views.set("step", Math.abs(value - scorer.previous));
  for (const length of LENGTHS) {
    const before = sumBack(scorer, 2 * length - 1);
    const middle = sumBack(scorer, length - 1);
    if (before === undefined || middle === undefined) continue;
    const now = (sumBack(scorer, 0) ?? 0) + value;
    const mean = (now - middle) / length;
    views.set(`mean ${length}`, Math.abs(mean - usual));
    views.set(`shift ${length}`, Math.abs(mean - (middle - before) / length));
  }
  const same = scorer.days.get(timeOfDay(at)) ?? [];
  if (same.length >= LEAST_SAME_TIME) views.set("time of day", Math.abs(value - median(same)));
  return views;
}

/** The running sum as it stood `back` samples before the newest. */
const sumBack = (scorer: AnomalyScorer, back: number): number | undefined =>
  back >= scorer.seen ? (back === scorer.seen ? 0 : undefined) : scorer.sums[(scorer.seen - 1 - back) % (LONGEST + 1)];

const timeOfDay = (at: number): number => Math.floor((at % DAY_MS) / QUARTER_HOUR_MS);

function takeIn(scorer: AnomalyScorer, at: number, value: number): void {
  const sum = (sumBack(scorer, 0) ?? 0) + value;
  scorer.sums[scorer.seen % (LONGEST + 1)] = sum;
  scorer.seen += 1;
  scorer.previous = value;
  remember(scorer.levels, value);
  const same = scorer.days.get(timeOfDay(at)) ?? [];
  same.push(value);
  if (same.length > MOST_SAME_TIME) same.shift();
  scorer.days.set(timeOfDay(at), same);
}
