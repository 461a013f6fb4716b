import { median } from "../detection/robust.ts";
import type { Change } from "../model/change.ts";
import type { Onset } from "../model/finding.ts";
import { type SampleIndex, samplesBetween } from "./samples.ts";
import { LEAST_RATIO, RISING_RATIO } from "./surge.ts";

/** Traffic is read as the median of so many samples: single ones wander. */
const SMOOTHED = 5;
/** The time up to the onset over which the climb is read, at least. */
const LEAST_ABOUT_MS = 300_000;
/** Before a change so long tells what it was made under. */
const BEFORE_MS = 300_000;

/**
 * Chance for each millisecond about the onset that what a change broke under load alone shows then: it shows when traffic
 * first reaches some level that nobody knows, any of those from what the change was made under to what comes at this time
 * on other days (each alike on the scale of ratios), so that the chance is the climb to new heights there over the whole
 * climb. What comes after the onset is not asked: whoever fails is asked again. Null where traffic is not measured, hardly
 * rose since the change, or rose beyond `usual`, what the service served on other days: then it is not the change that
 * made it too much.
 */
export function busierChance(
  index: SampleIndex,
  { service, startedAt }: Pick<Change, "service" | "startedAt">,
  onset: Onset,
  usual: ReadonlyMap<string, number>,
): number | null {
  const most = usual.get(service);
  const samples = samplesBetween(index.whole(service, "request_rate"), startedAt - BEFORE_MS, onset.at);
  if (most === undefined || samples.length < 2 * SMOOTHED) return null;
  // Of a change that is older than the samples at hand, these tell what it has served.
  const made = samples.filter((one, i) => one.at <= startedAt || i < SMOOTHED).map(({ value }) => value);
  const start = median(made);
  let highest = start;
  const heights = samples.flatMap((one, i) => {
    if (one.at <= startedAt || i < SMOOTHED - 1) return [];
    const level = median(samples.slice(i - SMOOTHED + 1, i + 1).map(({ value }) => value));
    highest = Math.max(highest, level);
    return [{ at: one.at, highest }];
  });
  if (!(start > 0) || highest < RISING_RATIO * start || highest > LEAST_RATIO * most) return null;
  const about = Math.max(LEAST_ABOUT_MS, onset.latest - onset.earliest);
  const before = heights.findLast((one) => one.at <= onset.at - about)?.highest ?? start;
  return Math.log(highest / before) / Math.log(Math.max(most, LEAST_RATIO * start, highest) / start) / about;
}
