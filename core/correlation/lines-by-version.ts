import type { Change } from "../model/change.ts";
import type { NewSignature } from "./log-evidence.ts";
import { type SampleIndex, samplesBetween } from "./samples.ts";

/** Nearly all that the new version brought is written by it; what is written by either comes by its share of the traffic. */
const BY_NEW_ALONE = 0.98;
/** One pod that starts may say the same a few times: lines tell a version once they come in so many steps. */
const LEAST_STEPS = 3;

/**
 * Log likelihood ratio of "the new version alone writes these new errors" against "whichever version serves writes them",
 * from the steps in which both served by their own measured traffic: a line was the new version's by chance as often as
 * that had a share of the traffic. One line a step and version counts, since one failing pod writes many. Lines of steps
 * in which no share is measured say nothing, nor do those from after the rollout (nobody else could have written them), and
 * those that complain of somebody else. 0 where there are too few.
 */
export function linesByVersion(change: Change, signatures: readonly NewSignature[], index: SampleIndex): number {
  const shareAt = shareOf(change, index);
  const lines = signatures
    .filter(({ service, names, complains }) => service === change.service && names.length === 0 && !complains)
    .flatMap(({ written }) => written);
  const fresh = new Map<number, number>();
  const old = new Map<number, number>();
  for (const { at, version } of lines) {
    if (version === undefined || at < change.startedAt || (change.finishedAt !== null && at > change.finishedAt))
      continue;
    const step = shareAt(at);
    if (step === null || step.share <= 0 || step.share >= 1) continue;
    (version === change.to ? fresh : old).set(step.at, Math.min(BY_NEW_ALONE, step.share));
  }
  return byNewAlone(fresh, old);
}

/** From the new version's share of the traffic in the steps in which it did something, and in those in which the old one did. */
function byNewAlone(fresh: ReadonlyMap<number, number>, old: ReadonlyMap<number, number>): number {
  if (fresh.size < LEAST_STEPS) return 0;
  let nats = 0;
  for (const share of fresh.values()) nats += Math.log(BY_NEW_ALONE / Math.max(1 - BY_NEW_ALONE, share));
  for (const share of old.values()) nats += Math.log((1 - BY_NEW_ALONE) / (1 - share));
  return nats;
}

/** The share of the traffic that the new version was measured to serve in the step that holds a moment; null: not measured. */
function shareOf({ service, to }: Change, index: SampleIndex) {
  const whole = index.whole(service, "request_rate");
  const own = index.byVersion(service, "request_rate").get(to);
  return (at: number): { readonly at: number; readonly share: number } | null => {
    if (own === undefined || whole === undefined) return null;
    const [fresh] = samplesBetween(own, at - 1, at + own.stepMs);
    const [all] = fresh === undefined ? [] : samplesBetween(whole, fresh.at - 1, fresh.at);
    return fresh === undefined || all === undefined || !(all.value > 0)
      ? null
      : { at: fresh.at, share: fresh.value / all.value };
  };
}
