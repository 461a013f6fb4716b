import { z } from "zod";
import { partsText } from "./parts-text.ts";
import { durationText, Moment, rfc3339 } from "./time.ts";
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

/**
 * The same in words, a line each; null: nothing is recorded of any. `isWatched`: whether a watch runs; null: that cannot be seen from
 * here. Where none runs, an old evaluation is no fault of it. Pure.
 */
export function lastEvaluationLines(
  last: LastEvaluation | null,
  { now, isWatched }: { readonly now: number; readonly isWatched: boolean | null },
): readonly string[] {
  if (last === null) return isWatched === true ? ["Last evaluation: none is recorded"] : [];
  const ago = durationText(Math.max(0, now - last.at));
  const when = `Last evaluation: ${rfc3339(last.at)}, ${ago} ago`;
  const late = `${when}, and one is due every ${durationText(last.stepMs)}: THE WATCH EVALUATES NOTHING`;
  return [
    isWatched !== false && isLate(last, now) ? late : when,
    ...last.down.map(
      ({ source, parts, since }) =>
        `  ${name(source)} did not answer then (${partsText(parts)}), since ${rfc3339(since)}`,
    ),
    ...(last.down.length === 0 ? ["  no source was down"] : ["  no other source was down"]),
  ];
}

/** The same for machines. `late`: a watch that runs evaluates nothing. */
export const lastEvaluationView = (last: LastEvaluation, now: number) => ({
  at: rfc3339(last.at),
  step_seconds: last.stepMs / 1000,
  late: isLate(last, now),
  down: last.down.map(({ source, parts, since }) => ({ source, parts, since: rfc3339(since) })),
});
