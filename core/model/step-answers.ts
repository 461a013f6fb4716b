import { z } from "zod";
import type { SeedStep, StepAnswers } from "./assessment.ts";
import { Ranking } from "./candidate.ts";
import { Decision } from "./decision.ts";
import { Onset } from "./finding.ts";
import { Impact } from "./impact.ts";

/** What each of the seed's steps answers, as a schema: the type is `StepAnswers`. */
export const STEP_ANSWERS = {
  identify_recent_deployments: z.strictObject({
    onset: Onset.nullable(),
    windowMs: z.number().nonnegative(),
    widened: z.string().nullable(),
    changeIds: z.array(z.string()),
  }),
  correlate_timing: z.strictObject({
    ranking: Ranking,
    threshold: z.number().min(0).max(1),
    reached: z.boolean(),
  }),
  check_affected_services: z.strictObject({ services: z.array(z.string()), origin: z.string().nullable() }),
  check_dependency_graph: z.strictObject({ order: z.array(z.string()), because: z.array(z.string()) }),
  evaluate_business_impact: z.strictObject({ impact: Impact }),
  recommend_action: z.strictObject({ decision: Decision }),
} as const satisfies { readonly [S in SeedStep]: z.ZodType<NonNullable<StepAnswers[S]>> };

/** The checked answers of earlier steps, by step name; what a step that was left out would have said is absent. */
export const KnownAnswers = z.strictObject(STEP_ANSWERS).partial();

/** Checks answers that came over the wire. Throws zod's error; absent answers stay absent. */
export function parseKnownAnswers(value: unknown): StepAnswers {
  const known = Object.entries(KnownAnswers.parse(value)).filter(([, answer]) => answer !== undefined);
  return Object.fromEntries(known);
}
