import { durationText } from "../../core/model/time.ts";
import type { Emit, WatchStatus } from "./events.ts";

/** A sign of life once a minute: what a hang looks like is the absence of it. */
const BEAT_MS = 60_000;
/** One long look may be a garbage collection or a slow answer; three in a row are a watch that cannot keep up. */
const SLOW_LOOKS = 3;
/** A look that takes so many steps sees nothing of what happens meanwhile. */
const HANGING_STEPS = 3;

/** Says that the watch is alive, and when it is not: once a look hangs, or looks take longer than their step. */
export interface Pulse {
  /** A look begins, Unix ms. */
  began(at: number): void;
  /** Called now and then while a look runs. */
  still(at: number): void;
  /** The look is over, however it ended. */
  ended(at: number): void;
}

/**
 * `stepMs`: how often the watch should look. A warning that goes on is repeated at twice the distance each time, so
 * that it neither floods nor falls silent. Holds no clock.
 */
export function createPulse(stepMs: number, emit: Emit): Pulse {
  const everyLooks = Math.max(1, Math.round(BEAT_MS / stepMs));
  let looks = 0;
  let startedAt: number | null = null;
  let lagMs = 0;
  let slowInARow = 0;
  let warnAtSlow = SLOW_LOOKS;
  let warnAfterMs = HANGING_STEPS * stepMs;

  const say = (at: number, event: "watch.alive" | "watch.slow", text: string, status: WatchStatus) =>
    emit({ at, event, text, incident: null, status });
  const statusOf = (lastMs: number): WatchStatus => ({ looks, lastMs, lagMs, stepMs });

  return {
    began(at) {
      lagMs = startedAt === null ? 0 : Math.max(0, at - startedAt - stepMs);
      startedAt = at;
      warnAfterMs = HANGING_STEPS * stepMs;
    },
    still(at) {
      const took = at - (startedAt ?? at);
      if (took < warnAfterMs) return;
      while (took >= warnAfterMs) warnAfterMs *= 2;
      const text = `this evaluation has been running for ${durationText(took)} (a step is ${durationText(stepMs)}): nothing is seen meanwhile`;
      say(at, "watch.slow", text, statusOf(took));
    },
    ended(at) {
      const took = Math.max(0, at - (startedAt ?? at));
      looks += 1;
      const recovered = took <= stepMs && slowInARow >= SLOW_LOOKS;
      slowInARow = took > stepMs ? slowInARow + 1 : 0;
      if (slowInARow === 0) warnAtSlow = SLOW_LOOKS;
      if (slowInARow >= warnAtSlow) {
        warnAtSlow *= 2;
        const text = `${slowInARow} evaluations in a row took longer than a step of ${durationText(stepMs)}, the last ${durationText(took)}: degradations are detected late`;
        say(at, "watch.slow", text, statusOf(took));
      }
      if (!recovered && looks % everyLooks !== 0) return;
      const late = lagMs > 0 ? `, begun ${durationText(lagMs)} late` : "";
      const text = `evaluation ${looks} took ${durationText(took)} of a step of ${durationText(stepMs)}${late}`;
      say(at, "watch.alive", recovered ? `evaluations keep up again: ${text}` : text, statusOf(took));
    },
  };
}
