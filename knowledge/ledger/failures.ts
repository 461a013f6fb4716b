import type { LogEvent } from "kysely";
import { UnshipError } from "../../core/errors.ts";

/** Tells the database's trouble from what the code around it threw, by remembering the errors of its queries. */
export interface Failures {
  readonly note: (event: LogEvent) => void;
  readonly has: (error: unknown) => boolean;
}

export function createFailures(): Failures {
  const noted = new WeakSet<object>();
  return {
    note(event) {
      if (event.level === "error" && typeof event.error === "object" && event.error !== null) noted.add(event.error);
    },
    has: (error) => typeof error === "object" && error !== null && noted.has(error),
  };
}

/**
 * Any error of the database → one that says what of the ledger could not be done, and of a write that nothing came of it;
 * errors of ours pass through.
 */
export function unavailable(cause: unknown, use: "opened" | "read" | "written"): UnshipError {
  if (cause instanceof UnshipError) return cause;
  const reason = cause instanceof Error && cause.message !== "" ? cause.message : "no reason given";
  const whole = use === "written" ? `${reason}. Nothing was executed` : reason;
  return new UnshipError("ledger.unavailable", { use, reason: whole }, { cause });
}
