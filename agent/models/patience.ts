import { setTimeout as sleep } from "node:timers/promises";
import { UnshipError } from "../../core/errors.ts";

export interface Patience {
  /** Tries of one turn, the first included. */
  readonly tries: number;
  /** Wait before the second try, ms; doubled each time, half of it at random so that many clients do not return at once. */
  readonly firstWaitMs: number;
  /** Longest wait that is worth it, ms: who is told to come back later than this goes on without. */
  readonly longestWaitMs: number;
  /** Waits so many ms; rejects when told to stop. */
  wait(ms: number, abort: AbortSignal): Promise<unknown>;
}

/** A chain has a minute or so: three tries within it, and no wait that would use it up. */
export const PATIENCE: Patience = {
  tries: 3,
  firstWaitMs: 500,
  longestWaitMs: 20_000,
  wait: (ms, signal) => sleep(ms, undefined, { signal }),
};

/** What a failed try means. */
export interface Failure {
  /** Whether the same request may succeed later. */
  readonly again: boolean;
  /** What the vendor asked for, ms; null where it said nothing. */
  readonly afterMs: number | null;
  /** Why it failed, in our own words. */
  readonly why: string;
}

/**
 * Runs one turn until it succeeds, cannot succeed, or patience ends; then throws `UnshipError` "model.unavailable" with
 * the last failure as its cause. An abort ends it at once with its own reason. Waits grow exponentially with jitter.
 * @see Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015 (equal jitter)
 */
export async function patiently<T>(
  turn: () => Promise<T>,
  judge: (error: unknown) => Failure,
  abort: AbortSignal,
  patience: Patience = PATIENCE,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    abort.throwIfAborted();
    try {
      return await turn();
    } catch (error) {
      abort.throwIfAborted();
      const { again, afterMs, why } = judge(error);
      const backoff = patience.firstWaitMs * 2 ** (attempt - 1);
      const wait = afterMs ?? backoff / 2 + (Math.random() * backoff) / 2;
      if (!again || attempt >= patience.tries || wait > patience.longestWaitMs)
        throw new UnshipError("model.unavailable", { reason: why }, { cause: error });
      await patience.wait(wait, abort).catch(() => abort.throwIfAborted());
    }
  }
}

/** Overload and the server's own failures pass; what a client did wrong does not. 529 is Anthropic's "overloaded". */
export const isPassing = (status: number): boolean =>
  status === 408 || status === 409 || status === 429 || status >= 500;

/** A retry-after header in ms: seconds, or a date (RFC 9110, 10.2.3), or the vendors' `retry-after-ms`; null without one. */
export function retryAfterMs(headers: Headers | undefined, now: number): number | null {
  const ms = Number.parseFloat(headers?.get("retry-after-ms") ?? "");
  if (ms >= 0) return ms;
  const text = headers?.get("retry-after") ?? "";
  const seconds = Number(text);
  if (text !== "" && seconds >= 0) return seconds * 1000;
  const date = Date.parse(text);
  return Number.isNaN(date) ? null : Math.max(0, date - now);
}
