import { silentAfter } from "../detection/silence.ts";
import type { Recovery } from "../model/incident.ts";
import type { Series } from "../model/signal.ts";
import { durationText } from "../model/time.ts";

/**
 * For how long a signal was not measured at a stretch since an act, ms, where that is longer than it may pause before it counts as
 * silent: what it did then nobody knows (S9). null: it was measured all the while. `since`, `now`: Unix ms. Pure.
 */
export function unmeasuredFor({ startAt, stepMs, values }: Series, since: number, now: number): number | null {
  const times = values.flatMap((value, index) => {
    const at = startAt + index * stepMs;
    return value === null || at <= since || at > now ? [] : [at];
  });
  // What comes after the newest sample is the present: whether that is stale is judged by itself.
  const pauses = times.map((at, index) => at - (times[index - 1] ?? since));
  const longest = Math.max(0, ...pauses);
  return longest > silentAfter(stepMs) ? longest : null;
}

type Check = Recovery["checks"][number];

/**
 * What is said of a signal that has not recovered, where it was not measured for a stretch since the act and was back at some
 * moment: it may have recovered in between, as before a restart of what keeps the samples. Seen outside its baseline whenever it was
 * seen, it has not recovered. Pure.
 */
export function withGap<Of extends Check>(found: Of, gapMs: number | null, wasBack: boolean): Of {
  if (gapMs === null || found.verdict !== "not-recovered" || !wasBack) return found;
  const because = `${found.because}; it was not measured for ${durationText(gapMs)} since the act, and may have recovered meanwhile`;
  return { ...found, verdict: "unknown", because };
}
