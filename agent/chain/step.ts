import type { z } from "zod";
import type { SeedStep, StepAnswers } from "../../core/model/assessment.ts";

/** What an answer claims about the world, to be found in what the tools said. */
export interface Claims {
  readonly changeIds: readonly string[];
  readonly services: readonly string[];
  /** Structured figures, in the unit in which the tool gives them. */
  readonly figures: readonly number[];
  /** Sentences: the figures in them must be found too. */
  readonly prose: readonly string[];
}

/** One step of the chain: what is asked, with which tools, in what shape it is answered, and what that answer claims. */
export interface StepSpec<S extends SeedStep = SeedStep> {
  readonly step: S;
  /** The prompt's file in `agent/prompts`, without `.md`. */
  readonly prompt: string;
  readonly tools: readonly string[];
  readonly answer: z.ZodType<NonNullable<StepAnswers[S]>>;
  /** Earlier steps whose answers it builds on, each with what is lost where that step is left out. */
  readonly needs: Partial<Readonly<Record<SeedStep, string>>>;
  claims(answer: NonNullable<StepAnswers[S]>): Claims;
}

export const NO_CLAIMS: Claims = { changeIds: [], services: [], figures: [], prose: [] };
