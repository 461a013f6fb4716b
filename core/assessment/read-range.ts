import { UnshipError } from "../errors.ts";
import { type AskContext, UNTIL_ANSWERED } from "../model/asking.ts";
import type { Series } from "../model/signal.ts";
import type { Lack, MetricQuery, MetricSource, Question } from "../ports.ts";

/** Series of a part of the window, which ends then, and what the answer lacks. */
export interface Piece {
  readonly series: readonly Series[];
  readonly to: number;
  readonly lacks: readonly Lack[];
}

/** What comes next of a reading: a piece, its end, why it ended early, or nothing yet (asked since, Unix ms). */
export type Next =
  | { readonly kind: "piece"; readonly piece: Piece }
  | { readonly kind: "end" }
  | { readonly kind: "failed"; readonly error: unknown }
  | { readonly kind: "late"; readonly since: number };

/** A window that is read piece by piece, over several rounds where its source is slow. */
export interface Reading {
  readonly window: MetricQuery["window"];
  readonly question: Question;
  /** The next piece, if it comes as long as the round waits; one that is late is what the next round asks for first. */
  next(context: AskContext): Promise<Next>;
}

/** Begins to read; nothing is asked before the first `next`, and never more than one piece ahead. */
export function openReading(
  source: MetricSource,
  query: MetricQuery,
  of: "metrics" | "history",
  abort: AbortSignal,
): Reading {
  const pieces = rangeInPieces(source, query, abort);
  const { metric } = query;
  const question = { of, metric, source: source.name, what: of, detail: metric };
  let asked: { readonly since: number; readonly next: Promise<IteratorResult<Piece, void>> } | null = null;
  return {
    window: query.window,
    question,
    async next({ now, waiting = UNTIL_ANSWERED }) {
      asked ??= { since: now, next: pieces.next() };
      asked.next.catch(() => {}); // heard where it is taken, which may be a round later
      if (!(await waiting.isThere(question, asked.next))) return { kind: "late", since: asked.since };
      const { next } = asked;
      asked = null;
      return next.then(nextOf, (error: unknown) => ({ kind: "failed", error }));
    },
  };
}

const nextOf = ({ done, value }: IteratorResult<Piece, void>): Next =>
  done === true || value === undefined ? { kind: "end" } : { kind: "piece", piece: value };

/**
 * A metric's series over a window in as few pieces as its source can answer, oldest first, and up to when each piece
 * goes: all at once, and where that is too large for one answer ("source.too_large") in halves, and halves of those.
 * Ten thousand services over six hours are hundreds of megabytes. A version that serves alone for the whole of a piece is
 * left out of it, as it is at every tick. Throws what the source throws; what came before stands.
 */
export async function* rangeInPieces(
  source: MetricSource,
  query: MetricQuery,
  abort: AbortSignal,
): AsyncGenerator<Piece, void> {
  const { window, stepMs } = query;
  let size = window.to - window.from;
  for (let from = window.from; from <= window.to; ) {
    const to = Math.min(window.to, from + size);
    const lacks: Lack[] = [];
    const part = { ...query, window: { from, to }, lacks: (lack: Lack) => void lacks.push(lack) };
    const series = await source.range(part, abort).catch((error: unknown) => {
      const mayBeLess = error instanceof UnshipError && error.code === "source.too_large" && size > stepMs;
      if (!mayBeLess) throw error;
      return null;
    });
    if (series === null) {
      size = Math.max(stepMs, Math.floor(size / 2 / stepMs) * stepMs);
      continue;
    }
    yield { series, to, lacks };
    from = to + 1;
  }
}
