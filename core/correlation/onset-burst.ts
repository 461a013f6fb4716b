import type { Onset } from "../model/finding.ts";
import { beforeMs } from "./harm.ts";
import { type SampleIndex, valuesBetween } from "./samples.ts";

/** Samples from before that are too few to say how seldom a service fails as much by itself. */
const LEAST_BEFORE = 8;
/** Less than this is nobody's concern: the least share of failed requests that matters. */
const LEAST_EXCESS = 0.01;
/**
 * How often a service at which trouble starts, and which then shows at its callers alone, fails requests itself when it
 * begins (until its failing pods are taken out of service, or turn their callers away before they count): a guess, and
 * nowhere more than a factor of two from what decides.
 */
const AT_ORIGIN = 0.3;
const MOST_NATS = Math.log(6);

/**
 * Log likelihood ratios, by service, of "trouble starts there" from a few failed requests in the samples of the onset itself:
 * more, in one of them, than in any sample of the half hour before. By chance the worst of n + k samples lies among the k
 * of the onset one time in (n + k)/k. Services that did not, or whose failing nobody measured before, have none.
 */
export function onsetBursts(index: SampleIndex, onset: Onset, at: number): ReadonlyMap<string, number> {
  const told = new Map<string, number>();
  for (const service of index.services) {
    const errors = index.whole(service, "error_rate");
    if (errors === undefined) continue;
    const { stepMs } = errors;
    const before = valuesBetween(errors, onset.earliest - beforeMs(stepMs), onset.earliest);
    const begun = valuesBetween(errors, onset.earliest, Math.min(at, onset.latest + stepMs));
    if (before.length < LEAST_BEFORE || begun.length === 0) continue;
    if (Math.max(...begun) < Math.max(...before) + LEAST_EXCESS) continue;
    const byChance = begun.length / (before.length + begun.length);
    const nats = Math.min(MOST_NATS, Math.log(AT_ORIGIN / byChance));
    if (nats > 0) told.set(service, nats);
  }
  return told;
}
