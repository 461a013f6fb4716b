/**
 * The clock by which the sandbox's APIs date what happens. It can stand in the past: a system that anyone looks at was
 * deployed days ago, not in the minute before its trouble.
 */
export interface PastClock {
  /** Unix ms. */
  now(): number;
  /** From here on time runs `agoMs` behind; 0: real time. */
  goTo(agoMs: number): void;
}

export function createPastClock(): PastClock {
  let behindMs = 0;
  return {
    now: () => Date.now() - behindMs,
    goTo(agoMs) {
      behindMs = agoMs;
    },
  };
}
