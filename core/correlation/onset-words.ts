import type { Change } from "../model/change.ts";
import { durationText } from "../model/time.ts";

/** What a change's own moment is called. */
const STARTS: Readonly<Record<Change["kind"], string>> = {
  deploy: "the rollout started",
  flag: "the flag was switched",
  config: "the configuration was changed",
  migration: "the migration started",
};

/** A moment is known to the second at best. */
const SECOND_MS = 1000;

/**
 * When the degradation started, told from a change: "onset 2s after the rollout started". `lagMs`: from the change to the onset;
 * negative where the likeliest onset lies before the change. `isCause`: false where the change surely came too late. Pure.
 */
export function onsetWords({ kind }: Pick<Change, "kind">, lagMs: number, isCause: boolean): string {
  const start = STARTS[kind];
  if (!isCause) return `onset ${durationText(Math.max(0, -lagMs))} before ${start}: it cannot be the cause`;
  if (lagMs <= -SECOND_MS) return `onset about when ${start}: which was first is not known`;
  return lagMs < SECOND_MS ? `onset as ${start}` : `onset ${durationText(lagMs)} after ${start}`;
}
