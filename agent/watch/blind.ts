import { rfc3339 } from "../../core/model/time.ts";

/** One that fails may be a moment's; so many in a row are a watch that sees nothing. */
const BLIND_AFTER = 3;

/** A watch whose evaluations fail, or that evaluates again. `since`, `at`: Unix ms. */
export interface Blindness {
  readonly since: number;
  readonly at: number;
  /** How many evaluations have failed in a row. */
  readonly count: number;
  /** Why the last one did. */
  readonly why: string;
  readonly isOver: boolean;
}

export interface Blind {
  /** An evaluation that was begun at `started` failed. Returns what is said of it. */
  failed(started: number, why: string): string;
  /** One succeeded. Returns what is said of those that failed before it; null: nothing is. */
  succeeded(at: number): string | null;
}

/** Of failing evaluations, in words. Once several in a row have failed, nothing is detected: that is said, and since when. */
export const blindText = ({ since, count }: Pick<Blindness, "since" | "count">): string =>
  `UNSHIP CANNOT EVALUATE since ${rfc3339(since)}, ${count} evaluations in a row: nothing is detected, and nobody is notified of a degradation`;

/**
 * Counts evaluations that fail in a row. `changed` hears once that the watch is blind, at each doubling of the number of evaluations
 * since, and once that it is over: what goes on for long neither floods nor is forgotten.
 */
export function createBlind(changed: (blindness: Blindness) => void): Blind {
  let count = 0;
  let since = 0;
  let last = "";
  let sayAt = BLIND_AFTER;
  return {
    failed(started, why) {
      if (count === 0) since = started;
      count += 1;
      last = why;
      if (count < BLIND_AFTER) return `this evaluation failed: ${why}`;
      if (count >= sayAt) {
        sayAt *= 2;
        changed({ since, at: started, count, why, isOver: false });
      }
      return `${blindText({ since, count })}. this evaluation failed: ${why}`;
    },
    succeeded(at) {
      const failed = { since, at, count, why: last, isOver: true };
      count = 0;
      sayAt = BLIND_AFTER;
      if (failed.count < BLIND_AFTER) return null;
      changed(failed);
      return `evaluations succeed again: nothing was evaluated since ${rfc3339(failed.since)}, and nobody was notified of a degradation`;
    },
  };
}
