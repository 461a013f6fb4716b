/** A session as the sharing of places sees it. */
export interface Seat {
  /** Tells whose token began it; "" where nobody needs one. */
  readonly by: string;
  /** What acts is not offered in it. */
  readonly readOnly: boolean;
  /** Unix ms at which it was last used. */
  readonly usedAt: number;
  /** Requests and streams open now: 0 is idle. */
  readonly open: number;
}

export interface SeatLimits {
  /** Sessions at once, of all callers. */
  readonly most: number;
  /** Of these, how many one caller may hold. */
  readonly ofOne: number;
  /** How many the callers that only read leave to those that propose and submit. */
  readonly reserved: number;
}

/** `end`: the sessions that have to end first, none or one. `because`: which limit forbids it, in our own words. */
export type Room<S extends Seat> = { readonly end: readonly S[] } | { readonly full: "own" | "all" };

/**
 * Limits for a server of so many sessions. An assistant holds one session, and an editor one a window; a quarter is more
 * than anybody works with at once, so that it takes four callers who all do their worst to fill every place. A quarter is
 * kept for callers that may propose and submit: whoever only looks can never be the reason that nobody acts.
 */
export function seatLimits(most: number, isShared: boolean): SeatLimits {
  const quarter = Math.floor(most / 4);
  // Without tokens there is one caller, who has no other to make room for.
  return isShared ? { most, ofOne: Math.max(1, quarter), reserved: quarter } : { most, ofOne: most, reserved: 0 };
}

/**
 * Whether one more session of this caller has a place, and which session makes room for it.
 *
 * A caller at a limit of its own gives up its own longest idle session, or waits. Where all places are taken, the caller
 * that holds most of those that this one may push out gives one up (idle ones first, then those in use), as long as it
 * then still holds no less than the newcomer. Whoever only reads pushes out nobody who may act. Pure.
 */
export function roomFor<S extends Seat>(
  caller: Pick<Seat, "by" | "readOnly">,
  seats: readonly S[],
  { most, ofOne, reserved }: SeatLimits,
): Room<S> {
  const own = seats.filter(({ by }) => by === caller.by);
  const ownIdle = own.filter(({ open }) => open === 0).toSorted(byUse)[0];
  if (own.length >= ofOne) return ownIdle === undefined ? { full: "own" } : { end: [ownIdle] };
  const readers = seats.filter(({ readOnly }) => readOnly);
  const isFull = seats.length >= most || (caller.readOnly && readers.length >= most - reserved);
  if (!isFull) return { end: [] };
  const mayEnd = caller.readOnly ? readers : seats;
  const held = Map.groupBy(mayEnd, ({ by }) => by);
  const share = Math.max(0, ...[...held.values()].map((sessions) => sessions.length));
  const greedy = mayEnd.filter((one) => held.get(one.by)?.length === share).toSorted(byUse);
  if (share > own.length + 1) return { end: greedy.slice(0, 1) };
  // Nobody holds more than a fair share: a session that nobody uses is worth less than one that is wanted now.
  const holdsMore = ({ by }: S) => (held.get(by)?.length ?? 0) > own.length;
  const idle = ownIdle ?? mayEnd.filter((one) => one.open === 0 && holdsMore(one)).toSorted(byUse)[0];
  return idle === undefined ? { full: "all" } : { end: [idle] };
}

/** Idle ones before those in use; among these, what was used least lately first. */
const byUse = (a: Seat, b: Seat): number => Number(a.open > 0) - Number(b.open > 0) || a.usedAt - b.usedAt;
