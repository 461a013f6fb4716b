/** How a piece of work stands when its tick goes on: over, still on its way, or not begun since an earlier one is. */
export type Landing = "done" | "late" | "busy";

/**
 * Pieces of work that must not hold up each other: one at a time under each key, and each is waited for half as long as is
 * left of the tick's patience, so that what hangs leaves as much to all that come after it as it took. What is late goes on
 * beside the following ticks, which leave its key alone until then.
 */
export interface Flights {
  /** A tick begins: all that is waited for until `end` shares one patience. */
  begin(): void;
  end(): void;
  has(key: string): boolean;
  /**
   * Starts the work, unless some is on its way under this key. What has had no answer for too long is given up, as if its
   * process had died, and may be begun anew. Never throws.
   */
  run(key: string, work: () => Promise<void>): Promise<Landing>;
}

export interface FlightParts {
  /** How long a tick waits for all of its work together, ms; absent: until all is done, so that a replay is reproducible. */
  readonly patienceMs?: number | undefined;
  readonly now: () => number;
  readonly failed: (key: string, error: unknown) => void;
  /** Said once of each piece of work that has no answer when the next tick begins. */
  readonly late: (key: string) => void;
  readonly landed: (key: string) => void;
}

/**
 * After so long without an answer work is given up. The gate's own limits end an execution within its lease of three
 * minutes, and another process that takes it up then needs its tries once more; whoever is silent for longer is not going
 * to answer, and the ledger says what came of it.
 */
export const GIVEN_UP_MS = 5 * 60_000;

/** Waits for work, until all patience is over or its own part of it, ms. */
async function within(work: Promise<void>, over: Promise<void>, ms: number): Promise<void> {
  const own = Promise.withResolvers<void>();
  const timer = setTimeout(own.resolve, ms);
  await Promise.race([work, over, own.promise]);
  clearTimeout(timer);
}

interface Flight {
  readonly startedAt: number;
  isTold: boolean;
  readonly work: Promise<void>;
}

export function createFlights({ patienceMs, now, failed, late, landed }: FlightParts): Flights {
  const flying = new Map<string, Flight>();
  let over: { readonly promise: Promise<void>; readonly stop: () => void; readonly endsAt: number } | null = null;
  const begin = () => {
    over?.stop();
    for (const [key, flight] of flying) {
      if (!flight.isTold) late(key);
      flight.isTold = true;
    }
    if (patienceMs === undefined) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, patienceMs);
    over = { promise, stop: () => clearTimeout(timer), endsAt: performance.now() + patienceMs };
  };
  return {
    begin,
    end() {
      over?.stop();
      over = null;
    },
    has: (key) => flying.has(key),
    async run(key, work) {
      const before = flying.get(key);
      if (before !== undefined && now() - before.startedAt < GIVEN_UP_MS) return "busy";
      const isCurrent = (): boolean => flying.get(key) === flight;
      const fly = async (): Promise<void> => {
        try {
          await work();
        } catch (error) {
          if (isCurrent()) failed(key, error);
        }
        if (!isCurrent()) return;
        flying.delete(key);
        landed(key);
      };
      // The work begins after its flight is known.
      const started = Promise.withResolvers<void>();
      const flight: Flight = { startedAt: now(), isTold: false, work: started.promise.then(fly) };
      flying.set(key, flight);
      started.resolve();
      await (over === null
        ? flight.work
        : within(flight.work, over.promise, Math.max(0, over.endsAt - performance.now()) / 2));
      return isCurrent() ? "late" : "done";
    },
  };
}
