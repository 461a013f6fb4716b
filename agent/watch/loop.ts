import type { Incident } from "../../core/model/incident.ts";
import { rfc3339 } from "../../core/model/time.ts";
import type { Clock } from "../../core/ports.ts";
import type { Emit } from "./events.ts";
import { createPulse } from "./pulse.ts";
import type { Watch } from "./watch.ts";

/** Hears of each evaluation that succeeded: when, Unix ms, and the incidents that are open after it, oldest first. */
export type Evaluated = (at: number, open: readonly Incident[]) => void;

/** One that fails may be a moment's; so many in a row are a watch that sees nothing. */
const BLIND_AFTER = 3;

/**
 * Drives a watch: a tick each `stepMs`, never two at once, until aborted. A tick that takes longer than a step delays
 * the next one and drops none of the samples: the engine reads on from where it was. A tick that fails (a ledger that
 * cannot be written for a moment) is said and does not end the watch: the next one may succeed. Once several in a row have failed,
 * each says that nothing is detected and nobody notified, and since when; so does the first one after them that succeeds. It says that it is
 * alive, and when looks hang or cannot keep up with their step.
 */
export async function runLoop(
  watch: Watch,
  options: {
    readonly stepMs: number;
    readonly clock: Clock;
    readonly emit: Emit;
    readonly abort: AbortSignal;
    readonly evaluated?: Evaluated | undefined;
  },
): Promise<void> {
  const { stepMs, clock, emit, abort, evaluated } = options;
  await watch.resume(abort);
  const pulse = createPulse(stepMs, emit);
  let failed = { count: 0, since: 0 };
  while (!abort.aborted) {
    const started = clock.now();
    pulse.began(started);
    const guard = setInterval(() => pulse.still(clock.now()), stepMs);
    try {
      await watch.tick(abort);
      if (!abort.aborted) evaluated?.(clock.now(), watch.open());
      if (failed.count >= BLIND_AFTER) {
        const text = `evaluations succeed again: nothing was evaluated since ${rfc3339(failed.since)}, and nobody was notified`;
        emit({ at: clock.now(), event: "source.up", text, incident: null });
      }
      failed = { count: 0, since: 0 };
    } catch (error) {
      if (abort.aborted) return;
      failed = { count: failed.count + 1, since: failed.count === 0 ? started : failed.since };
      const why = `this evaluation failed: ${error instanceof Error ? error.message : String(error)}`;
      const blind = `UNSHIP CANNOT EVALUATE since ${rfc3339(failed.since)}, ${failed.count} evaluations in a row: nothing is detected, nobody is notified`;
      const text = failed.count < BLIND_AFTER ? why : `${blind}. ${why}`;
      emit({ at: clock.now(), event: "tick.failed", text, incident: null });
    } finally {
      clearInterval(guard);
    }
    if (!abort.aborted) pulse.ended(clock.now());
    const rest = stepMs - (clock.now() - started);
    if (rest > 0) await pause(rest, abort);
  }
}

function pause(ms: number, abort: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      abort.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    abort.addEventListener("abort", done);
    if (abort.aborted) done();
  });
}
