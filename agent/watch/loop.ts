import type { Incident } from "../../core/model/incident.ts";
import type { Clock } from "../../core/ports.ts";
import { type Blindness, createBlind } from "./blind.ts";
import type { Emit } from "./events.ts";
import { createPulse } from "./pulse.ts";
import type { Watch } from "./watch.ts";

/** Hears of each evaluation that succeeded: when, Unix ms, and the incidents that are open after it, oldest first. */
export type Evaluated = (at: number, open: readonly Incident[]) => void;

/**
 * Drives a watch: a tick each `stepMs`, never two at once, until aborted. A tick that takes longer than a step delays
 * the next one and drops none of the samples: the engine reads on from where it was. A tick that fails (a ledger that
 * cannot be written for a moment) is said and does not end the watch: the next one may succeed. Once several in a row have failed,
 * each says that nothing is detected and nobody notified, and since when; so does the first one after them that succeeds. It says that it is
 * alive, and when looks hang or cannot keep up with their step. `blind` hears when evaluations cannot succeed, and when they can again.
 */
export async function runLoop(
  watch: Watch,
  options: {
    readonly stepMs: number;
    readonly clock: Clock;
    readonly emit: Emit;
    readonly abort: AbortSignal;
    readonly evaluated?: Evaluated | undefined;
    readonly blind?: (blindness: Blindness) => void;
  },
): Promise<void> {
  const { stepMs, clock, emit, abort, evaluated } = options;
  await watch.resume(abort);
  const pulse = createPulse(stepMs, emit);
  const blind = createBlind(options.blind ?? (() => undefined));
  while (!abort.aborted) {
    const started = clock.now();
    pulse.began(started);
    const guard = setInterval(() => pulse.still(clock.now()), stepMs);
    try {
      await watch.tick(abort);
      if (!abort.aborted) evaluated?.(clock.now(), watch.open());
      const text = blind.succeeded(clock.now());
      if (text !== null) emit({ at: clock.now(), event: "source.up", text, incident: null });
    } catch (error) {
      if (abort.aborted) return;
      const text = blind.failed(started, error instanceof Error ? error.message : String(error));
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
