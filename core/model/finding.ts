import { z } from "zod";
import { Moment } from "./time.ts";

export const Verdict = z.enum(["worse", "no-worse", "inconclusive", "unknown"]);
export type Verdict = z.infer<typeof Verdict>;

/** When it began: the best estimate and the span that is still credible. All Unix ms. */
export const Onset = z.strictObject({ at: Moment, earliest: Moment, latest: Moment });
export type Onset = Readonly<z.infer<typeof Onset>>;

/**
 * What one detector says about one signal. Silence from a source is `unknown`, never `no-worse` (S9).
 *
 * `strength`: natural log of the evidence for "worse" against "no-worse" (likelihood ratio, Bayes factor or
 * e-value); > 0 speaks for worse. `baseline` and `current` are in the signal's `unit`; null where not measured.
 */
export const Finding = z.strictObject({
  detector: z.string().describe("threshold, health, rollout, regression, change-point, version, slow-share, drift, …"),
  service: z.string(),
  metric: z.string(),
  labels: z.record(z.string(), z.string()),
  unit: z.string(),
  verdict: Verdict,
  onset: Onset.nullable(),
  detectedAt: Moment,
  baseline: z.number().nullable(),
  current: z.number().nullable(),
  samples: z.number().int().nonnegative(),
  strength: z.number(),
  season: z
    .number()
    .optional()
    .describe("Its baseline at this time of day, or of this weekday, over the days before; absent: not known"),
  limitAt: Moment.optional().describe("When a drift reaches its limit if it goes on so"),
  because: z.string().describe("One sentence with figures and units"),
});
export type Finding = Readonly<z.infer<typeof Finding>>;

/** The state of one condition of one policy for one service, as configured; see config `rollback_policies`. */
export const ConditionState = z.strictObject({
  policy: z.string().describe("auto_rollback, human_review, or the policy's name in the file"),
  condition: z.number().int().nonnegative().describe("Its index in the policy's list"),
  text: z.string().describe('As people read it: "error_rate > 0.05 for 3m"'),
  service: z.string(),
  metric: z.string(),
  state: z.enum(["inactive", "pending", "firing", "unknown"]),
  since: Moment.nullable().describe("Start of the unbroken stretch that is pending or firing"),
  earliest: Moment.optional().describe("When it may have begun at the earliest, where that is before `since`"),
  firesAt: Moment.nullable().describe("When a pending one will fire if it holds; null: not pending"),
  value: z.number().nullable(),
  asOf: Moment.optional().describe("When the newest sample was taken that it speaks of; absent: no samples tell it"),
  because: z.string(),
});
export type ConditionState = Readonly<z.infer<typeof ConditionState>>;
