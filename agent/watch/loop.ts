import type { Clock } from "../../core/ports.ts";
import type { Watch } from "./watch.ts";

/**
 * Drives a watch: a tick each `stepMs`, never two at once, until aborted. A tick that takes longer than a step delays
 * the next one and drops none of the samples: the engine reads on from where it was.
 */
export async function runLoop(
  watch: Watch,
  options: { readonly stepMs: number; readonly clock: Clock; readonly abort: AbortSignal },
): Promise<void> {
  const { stepMs, clock, abort } = options;
  await watch.resume(abort);
  while (!abort.aborted) {
    const started = clock.now();
    await watch.tick(abort);
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
