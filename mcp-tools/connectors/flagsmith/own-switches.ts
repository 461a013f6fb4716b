/** Which switches this process made: Flagsmith takes no mark of ours, so a restart forgets them. */
export interface OwnSwitches {
  hasKey(key: string): boolean;
  /** Whether a switch off of a state at a moment (Unix ms) is one of ours. */
  has(stateId: number, at: number): boolean;
  /** `at`: when Flagsmith says that our write happened, Unix ms. */
  add(key: string, stateId: number, at: number): void;
}

/** Flagsmith writes its audit log in the background: an entry is dated within seconds of its write. */
export const LOG_LAG_MS = 5000;

export function ownSwitches(): OwnSwitches {
  const keys = new Set<string>();
  const made: { readonly stateId: number; readonly at: number }[] = [];
  return {
    hasKey: (key) => keys.has(key),
    has: (stateId, at) => made.some((one) => one.stateId === stateId && Math.abs(at - one.at) <= LOG_LAG_MS),
    add(key, stateId, at) {
      keys.add(key);
      made.push({ stateId, at });
    },
  };
}
