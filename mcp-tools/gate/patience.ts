/** When each plan whose result could not be found out may be looked at again, in this process. */
export interface Patience {
  /** True where nothing speaks against a look now: never looked at, or long enough ago. */
  due(planId: string, now: number): boolean;
  /** Another look ended without an answer: the next pause is twice as long. */
  failed(planId: string, now: number): void;
  settled(planId: string): void;
}

/** A target that restarts answers again within seconds. */
const FIRST_PAUSE_MS = 5000;
/** A target that is gone for good costs a few questions an hour, and one that comes back is seen soon enough. */
const LONGEST_PAUSE_MS = 5 * 60_000;

/** Back-off by doubling, kept in memory: after a restart everything is looked at once, at once (S5). */
export function createPatience(): Patience {
  const waits = new Map<string, { readonly since: number; readonly pauseMs: number }>();
  return {
    due(planId, now) {
      const wait = waits.get(planId);
      // A clock that went back would make the wait longer than was meant.
      return wait === undefined || now < wait.since || now >= wait.since + wait.pauseMs;
    },
    failed(planId, now) {
      const before = waits.get(planId)?.pauseMs;
      const pauseMs = before === undefined ? FIRST_PAUSE_MS : Math.min(2 * before, LONGEST_PAUSE_MS);
      waits.set(planId, { since: now, pauseMs });
    },
    settled: (planId) => void waits.delete(planId),
  };
}
