import { UnshipError } from "../errors.ts";
import type { Series } from "../model/signal.ts";
import type { MetricQuery, MetricSource } from "../ports.ts";

/** Series of a part of the window, which ends then. */
export interface Piece {
  readonly series: readonly Series[];
  readonly to: number;
}

/** A question whose first piece has been answered, and how to get the next one; null: the source failed. */
export interface Reading {
  readonly first: IteratorResult<Piece, void> | null;
  readonly more: () => Promise<IteratorResult<Piece, void> | null>;
}

/** Hands over one piece after the other, up to the end or until the source fails. */
export async function takeAll({ first, more }: Reading, take: (piece: Piece) => void): Promise<void> {
  for (let piece = first; piece !== null && piece.done !== true; piece = await more()) take(piece.value);
}

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
    const series = await source.range({ ...query, window: { from, to } }, abort).catch((error: unknown) => {
      const mayBeLess = error instanceof UnshipError && error.code === "source.too_large" && size > stepMs;
      if (!mayBeLess) throw error;
      return null;
    });
    if (series === null) {
      size = Math.max(stepMs, Math.floor(size / 2 / stepMs) * stepMs);
      continue;
    }
    yield { series, to };
    from = to + 1;
  }
}
