import { UnshipError } from "../core/errors.ts";
import type { Gap, GapKind } from "../core/model/assessment.ts";

/** What several sources of one kind said, and those that said nothing. */
export interface Asked<T> {
  readonly answers: readonly T[];
  readonly gaps: readonly Gap[];
}

/** What they are asked about: what is unknown without their answers. */
export interface Subject {
  readonly of: GapKind;
  readonly what: string;
  readonly metric?: string;
}

/**
 * Asks all sources at once. One that fails becomes a gap (S9) in our own words; one that was told to stop throws.
 * No source configured is a gap too: an empty answer would read as "nothing there".
 */
export async function askAll<S extends { readonly name: string }, T>(
  sources: readonly S[],
  { of, what, metric }: Subject,
  ask: (source: S) => Promise<T>,
  abort: AbortSignal,
): Promise<Asked<T>> {
  const about = metric === undefined ? { of, what } : { of, what, metric };
  if (sources.length === 0) {
    const gap = { ...about, how: "not-configured", source: what, because: "no source is configured" } as const;
    return { answers: [], gaps: [gap] };
  }
  const settled = await Promise.allSettled(sources.map((source) => ask(source)));
  abort.throwIfAborted();
  const answers: T[] = [];
  const gaps: Gap[] = [];
  for (const [index, result] of settled.entries()) {
    if (result.status === "fulfilled") answers.push(result.value);
    else
      gaps.push({
        ...about,
        how: "unanswered",
        source: sources[index]?.name ?? what,
        because: reasonOf(result.reason),
      });
  }
  return { answers, gaps };
}

function reasonOf(error: unknown): string {
  return error instanceof UnshipError ? error.message : "it failed unexpectedly";
}
