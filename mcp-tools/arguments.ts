import { z } from "zod";
import { UnshipError } from "../core/errors.ts";
import type { StepAnswers } from "../core/model/assessment.ts";
import { parseKnownAnswers } from "../core/model/step-answers.ts";

/** Input fields that several tools share, each with one meaning. */
export const incident = z.string().max(200).optional().describe("Default: everything, now");
export const service = z.string().min(1).max(200).optional();
export const cursor = z.string().max(40).optional().describe("From `more`");
export const limit = (most: number, usual: number) => z.int().min(1).max(most).default(usual);
export const known = z
  .record(z.string(), z.unknown())
  .optional()
  .describe("Earlier steps' answers by step; default: worked out");

/** In results: says what `«…»` is. */
export const notice = z.string();
/** In results: the handle to go on. */
export const more = z.string().nullable();

/** Checks `known`. Throws "input.invalid" naming the step and what is wrong with it. */
export function knownAnswers(value: Record<string, unknown> | undefined): StepAnswers | undefined {
  if (value === undefined) return undefined;
  try {
    return parseKnownAnswers(value);
  } catch (error) {
    const issue = error instanceof z.ZodError ? error.issues[0] : undefined;
    const at = issue?.path.map(String).join(".") || "known";
    throw new UnshipError("input.invalid", {
      what: "known",
      reason: `${at} is not what that step answers (${issue?.message ?? "unreadable"}); leave known out to have it worked out`,
    });
  }
}
