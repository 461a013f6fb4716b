import { z } from "zod";
import { type Fenced, own } from "./fenced.ts";
import { partsText } from "./parts-text.ts";
import { clockText, durationText, Moment, rfc3339 } from "./time.ts";
import { name } from "./untrusted-text.ts";

/**
 * What a watch says of its newest evaluation that succeeded, for whoever asks how current everything else is. `down`: what of which
 * sources it could not read then, and since when; every other source answered.
 */
export const LastEvaluation = z.strictObject({
  at: Moment,
  stepMs: z.number().nonnegative().describe("How far apart its evaluations are"),
  down: z.array(z.strictObject({ source: z.string(), parts: z.array(z.string()), since: Moment })),
});
export type LastEvaluation = Readonly<z.infer<typeof LastEvaluation>>;

/** As many steps without an evaluation are a watch that evaluates nothing; see `createPulse`. */
const LATE_STEPS = 3;

/** Whether a watch has gone without an evaluation for longer than it may; `now`: Unix ms. */
export const isLate = ({ at, stepMs }: Pick<LastEvaluation, "at" | "stepMs">, now: number): boolean =>
  now - at > LATE_STEPS * stepMs;

/** What is known of the watch by whoever tells of its evaluations. `isWatched`: whether one runs; null: that cannot be seen from here. */
export interface AskedOfWatch {
  /** Unix ms. */
  readonly now: number;
  readonly isWatched: boolean | null;
}

/** Whether an evaluation speaks of the present: a watch may run, and it is not late. */
const isCurrent = (last: LastEvaluation, { now, isWatched }: AskedOfWatch): boolean =>
  isWatched !== false && !isLate(last, now);

const METRICS = "metrics";
const isOfMetrics = (part: string): boolean => part === METRICS || part.startsWith(`${METRICS}: `);

/** The sources whose metrics the newest evaluation could not read, with which metrics (empty: all of the source's), and since when. */
export const unreadMetrics = ({ down }: Pick<LastEvaluation, "down">) =>
  down.flatMap(({ source, parts, since }) =>
    parts.some(isOfMetrics)
      ? [{ source, since, metrics: parts.filter(isOfMetrics).flatMap((part) => part.slice(METRICS.length + 2) || []) }]
      : [],
  );

/**
 * What cannot be detected at present, a line for each source of metrics that does not answer; none where they answer, or where nothing
 * is evaluated anyway. Pure.
 */
export function noMetricsLines(last: LastEvaluation | null, asked: AskedOfWatch): readonly string[] {
  if (last === null || !isCurrent(last, asked)) return [];
  return unreadMetrics(last).map(({ source, metrics, since }) => {
    const from = `${name(source)} since ${clockText(since, asked.now)} (${durationText(Math.max(0, asked.now - since))})`;
    const of = metrics.length === 0 ? "" : ` of ${metrics.map((one) => name(one)).join(", ")}`;
    return `NO METRICS from ${from}: no degradation${of} can be detected. Check ${name(source)}.`;
  });
}

/**
 * That no incident is open, only as surely as it is known: of the moment of the last evaluation where nothing is evaluated since, and
 * with what cannot be detected (S9). `other`: beside incidents that cannot be read. Pure.
 */
export function noneOpenText(last: LastEvaluation | null, asked: AskedOfWatch, other = false): Fenced {
  const none = other ? own`No other incident` : own`No incident`;
  if (last === null)
    return asked.isWatched === true ? own`${none} is open.` : own`${none} is recorded, and no evaluation either.`;
  if (!isCurrent(last, asked)) return own`${none} was open at the last evaluation (${clockText(last.at, asked.now)}).`;
  return unreadMetrics(last).length === 0
    ? own`${none} is open.`
    : own`${none} is open; without these metrics one may go undetected.`;
}

/**
 * When the watch last evaluated and which sources did not answer then, a line each; none: nothing is recorded of any evaluation. Where no
 * watch runs, an old evaluation is no fault of it. What of metrics is missing is among `noMetricsLines`. Pure.
 */
export function lastEvaluationLines(last: LastEvaluation | null, asked: AskedOfWatch): readonly string[] {
  const { now, isWatched } = asked;
  if (last === null) return isWatched === true ? ["Last evaluation: none is recorded"] : [];
  const ago = durationText(Math.max(0, now - last.at));
  const when = `Last evaluation: ${clockText(last.at, now)}, ${ago} ago`;
  const late = `${when}, and one is due every ${durationText(last.stepMs)}: THE WATCH EVALUATES NOTHING`;
  const isTold = (part: string) => isCurrent(last, asked) && isOfMetrics(part);
  return [
    isWatched !== false && isLate(last, now) ? late : when,
    ...last.down.flatMap(({ source, parts, since }) => {
      const rest = parts.filter((part) => !isTold(part));
      return rest.length === 0
        ? []
        : `  ${name(source)} did not answer then (${partsText(rest)}), since ${clockText(since, now)}`;
    }),
    ...(last.down.length === 0 ? ["  every source answered"] : ["  every other source answered"]),
  ];
}

/** The same for machines. `late`: a watch that runs evaluates nothing. `no_metrics`: whose metrics could not be read then. */
export const lastEvaluationView = (last: LastEvaluation, now: number) => ({
  at: rfc3339(last.at),
  step_seconds: last.stepMs / 1000,
  late: isLate(last, now),
  down: last.down.map(({ source, parts, since }) => ({ source, parts, since: rfc3339(since) })),
  no_metrics: unreadMetrics(last).map((one) => ({ ...one, since: rfc3339(one.since) })),
});
