import { UnshipError } from "../../core/errors.ts";
import { type Answered, type AskContext, oneAtATime } from "../../core/model/asking.ts";
import type { Gap, GapKind } from "../../core/model/assessment.ts";
import type { Patience } from "../../core/ports.ts";
import { ANSWER_MS } from "./deadlines.ts";
import { createPatience } from "./patience.ts";

/** Something that must be looked at once a step, since nobody else keeps what it shows. */
export interface Observer {
  readonly name: string;
  /** What is unknown where the look fails as a whole: "pods". */
  readonly of: GapKind;
  readonly what: string;
  /**
   * Looks at `now` (Unix ms) and says what it could not see. May throw. `isAwaited`: an evaluation waits for it, so that
   * what hangs in a part of it should not hold the rest.
   */
  readonly look: (now: number, abort: AbortSignal, isAwaited: boolean) => Promise<readonly Gap[]>;
}

/** Beside what is asked (`ANSWER_MS` at most) a look writes down what it saw: a disk may take a moment. */
const LOOK_MS = ANSWER_MS + 2000;

export interface Observing {
  /**
   * Every observer looks once, at the same time; never throws for what one does. Resolves when all have looked, or
   * `patience` waits no longer (default: after `limitMs`): a look that is late goes on beside whoever called.
   */
  observe(now: number, abort: AbortSignal, patience?: Patience): Promise<void>;
  /** What could not be seen the last time, and is unknown (S9). */
  gaps(): readonly Gap[];
}

/**
 * Runs observers; a look is told to stop after `limitMs`. One that fails or hangs leaves a gap; one that still hangs is not started a second time
 * beside itself.
 */
export function createObserving(observers: readonly Observer[], limitMs = LOOK_MS): Observing {
  const looking = observers.map((observer) => ({
    observer,
    asking: oneAtATime<readonly Gap[]>({ of: observer.of, source: observer.name, what: observer.what }),
    seen: NOTHING,
  }));

  const asLongAsALook = createPatience({ capMs: limitMs, floorMs: limitMs, lateMs: limitMs });

  return {
    async observe(now, abort, patience) {
      const isAwaited = patience !== undefined;
      const waiting = (patience ?? asLongAsALook).begin();
      await Promise.all(
        looking.map(async (one) => {
          const context: AskContext = { now, abort, gaps: [], waiting };
          const looked = await one.asking(context, () => {
            const { name, look } = one.observer;
            return limited(name, limitMs, abort, (signal) => look(now, signal, isAwaited));
          });
          if (!abort.aborted) one.seen = seenIn(looked, context, one.seen);
        }),
      );
    },
    gaps: () => looking.flatMap(({ seen }) => seen),
  };
}

const NOTHING: readonly Gap[] = [];

/** A look that was not answered shows nothing: what the last one left out is not known to be there again (S9). */
const seenIn = (
  looked: Answered<readonly Gap[]> | null,
  { gaps }: AskContext,
  before: readonly Gap[],
): readonly Gap[] => looked?.answer ?? [...gaps, ...before.filter(({ how }) => how === "partial")];

/** Settles with the look and not before, so that it never runs twice at once; after `limitMs` it is told to stop. */
async function limited<T>(
  name: string,
  limitMs: number,
  abort: AbortSignal,
  look: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), limitMs);
  try {
    return await look(AbortSignal.any([abort, late.signal]));
  } catch (error) {
    if (late.signal.aborted && !abort.aborted)
      throw new UnshipError("source.slow", { source: name, seconds: limitMs / 1000 }, { cause: error });
    throw error;
  } finally {
    clearTimeout(timer);
  }
}
