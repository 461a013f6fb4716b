import { UnshipError } from "../errors.ts";
import type { Gap } from "../model/assessment.ts";

/** One round of questions; what was not answered is added to `gaps`. */
export interface AskContext {
  readonly now: number;
  readonly abort: AbortSignal;
  readonly gaps: Gap[];
}

/**
 * The source's answer, or null and a gap where it failed. Only our own error text is kept: what a remote said stays
 * in the error's cause.
 */
export async function ask<T>(
  context: AskContext,
  source: string,
  what: string,
  question: () => Promise<T>,
): Promise<T | null> {
  try {
    return await question();
  } catch (error) {
    const because = error instanceof UnshipError ? error.message : `${source} gave no usable answer`;
    context.gaps.push({ source, what, because });
    return null;
  }
}
