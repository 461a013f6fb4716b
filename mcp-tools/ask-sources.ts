import { UnshipError } from "../core/errors.ts";
import type { Gap } from "../core/model/assessment.ts";

/** What several sources of one kind said, and those that said nothing. */
export interface Asked<T> {
  readonly answers: readonly T[];
  readonly gaps: readonly Gap[];
}

/**
 * Asks all sources at once. One that fails becomes a gap (S9) in our own words; one that was told to stop throws.
 * No source configured is a gap too: an empty answer would read as "nothing there".
 */
export async function askAll<S extends { readonly name: string }, T>(
  sources: readonly S[],
  what: string,
  ask: (source: S) => Promise<T>,
  abort: AbortSignal,
): Promise<Asked<T>> {
  if (sources.length === 0) return { answers: [], gaps: [{ source: what, what, because: "no source is configured" }] };
  const settled = await Promise.allSettled(sources.map((source) => ask(source)));
  abort.throwIfAborted();
  const answers: T[] = [];
  const gaps: Gap[] = [];
  for (const [index, result] of settled.entries()) {
    if (result.status === "fulfilled") answers.push(result.value);
    else gaps.push({ source: sources[index]?.name ?? what, what, because: reasonOf(result.reason) });
  }
  return { answers, gaps };
}

function reasonOf(error: unknown): string {
  return error instanceof UnshipError ? error.message : "it failed unexpectedly";
}
