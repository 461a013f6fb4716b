import { LARGEST_VALUE } from "../../../core/model/believable.ts";

/** What is kept of one series of a counter. */
export interface Counter {
  previous: number | null;
  /** Its last sample measured nothing. */
  skipped?: boolean;
  /** Its process began anew, and has not shown it yet: it stands at zero until then. */
  begunAnew?: boolean;
  /** The last answer that it was in, Unix ms; 0: none yet. */
  seenAt: number;
}

/**
 * What a counter grew by since the answer before this one. `begins`: it is seen for the first time, and nothing says where it
 * began. `unknown`: what it grew by is not of this step, or not known at all.
 */
export type Growth = number | "begins" | "unknown";

/** A counter cannot have this value: it begins at zero and counts, and nothing larger can be computed with (`believed`). */
export const isAbsurdCount = (value: number): boolean => !(value >= 0 && value <= LARGEST_VALUE);

/**
 * Takes in a sample of the answer at `at` (Unix ms); `answeredAt`: the answer before it, null where there was none. `fromZero`:
 * a counter that is seen for the first time began at zero since that answer.
 *
 * After a gap, whether its samples measured nothing or the series was left out of its page, what a counter grew by is of the
 * whole gap, of which no step is known: it is unknown, for failures and requests alike (S9). A gap over which it did not grow
 * leaves nothing open, and neither does one in which it began anew: a process does not show a series before it counts.
 */
export function growthOf(
  counter: Counter,
  value: number,
  { at, answeredAt, fromZero }: { readonly at: number; readonly answeredAt: number | null; readonly fromZero: boolean },
): Growth {
  const { previous, skipped = false, begunAnew = false } = counter;
  const wasLeftOut = !begunAnew && answeredAt !== null && counter.seenAt < answeredAt;
  counter.seenAt = at;
  counter.skipped = isAbsurdCount(value);
  if (counter.skipped) return "unknown";
  counter.previous = value;
  counter.begunAnew = false;
  if (skipped) return "unknown";
  if (previous === null) return fromZero || value === 0 ? value : "begins";
  if (value < previous) return value;
  return wasLeftOut && value > previous ? "unknown" : value - previous;
}

/** Its process began anew: so did the counter, also where the new process does not show it yet. */
export function beginAnew(counter: Counter): void {
  if (counter.previous === null) return;
  counter.previous = 0;
  counter.begunAnew = true;
}
