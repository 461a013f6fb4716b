import type { CaseFile, SeedStep, StepAnswers } from "../core/model/assessment.ts";
import { SEED_STEPS } from "../core/model/assessment.ts";
import type { ToolContext } from "./context.ts";

/**
 * What the steps before `upTo` answer: `given` where the caller knows it, worked out by the core's steps otherwise,
 * configured steps only. With `given` nothing is worked out: a step that a chain left out stays out, and the loss is
 * said by the steps that miss it.
 */
export function answersBefore(
  upTo: SeedStep,
  file: CaseFile,
  { config, steps }: Pick<ToolContext, "config" | "steps">,
  given: StepAnswers | undefined,
): StepAnswers {
  if (given !== undefined) return given;
  const configured = new Set(config.chain.map(({ step }) => step));
  const before = SEED_STEPS.slice(0, SEED_STEPS.indexOf(upTo)).filter((step) => configured.has(step));
  let known: StepAnswers = {};
  for (const step of before) known = Object.assign({}, known, { [step]: steps[step](file, config, known) });
  return known;
}
