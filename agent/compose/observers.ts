import { UnshipError } from "../../core/errors.ts";
import type { Gap } from "../../core/model/assessment.ts";
import { ANSWER_MS, within } from "./deadlines.ts";

/** Something that must be looked at once a step, since nobody else keeps what it shows. */
export interface Observer {
  readonly name: string;
  /** What is unknown where the look fails as a whole: "pods". */
  readonly what: string;
  /** Looks at `now` (Unix ms) and says what it could not see. May throw. */
  readonly look: (now: number, abort: AbortSignal) => Promise<readonly Gap[]>;
}

/** Beside what is asked (`ANSWER_MS` at most) a look writes down what it saw: a disk may take a moment. */
const LOOK_MS = ANSWER_MS + 2000;

export interface Observing {
  /** Every observer looks once, at the same time, for `limitMs` at most; never throws for what one does. */
  observe(now: number, abort: AbortSignal): Promise<void>;
  /** What could not be seen the last time, and is unknown (S9). */
  gaps(): readonly Gap[];
}

/**
 * Runs observers. One that fails or hangs leaves a gap; one that still hangs is not started a second time beside
 * itself, but waited for again.
 */
export function createObserving(observers: readonly Observer[], limitMs = LOOK_MS): Observing {
  const running = new Map<Observer, Promise<readonly Gap[]>>();
  const seen = new Map<Observer, readonly Gap[]>();

  function start(observer: Observer, now: number, abort: AbortSignal): Promise<readonly Gap[]> {
    const under = running.get(observer);
    if (under !== undefined) return under;
    const look = observer.look(now, abort).finally(() => running.delete(observer));
    running.set(observer, look);
    return look;
  }

  async function lookOnce(observer: Observer, now: number, abort: AbortSignal): Promise<void> {
    const { name, what } = observer;
    try {
      seen.set(observer, await within(name, limitMs, abort, () => start(observer, now, abort)));
    } catch (error) {
      if (abort.aborted) return;
      const because = error instanceof UnshipError ? error.message : `${name} could not be looked at`;
      seen.set(observer, [{ source: name, what, because }]);
    }
  }

  return {
    async observe(now, abort) {
      await Promise.all(observers.map((one) => lookOnce(one, now, abort)));
    },
    gaps: () => observers.flatMap((one) => seen.get(one) ?? []),
  };
}
