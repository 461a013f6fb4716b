import type { Change } from "../model/change.ts";
import type { NewSignature } from "./log-evidence.ts";
import type { SampleIndex } from "./samples.ts";
import { valuesBetween } from "./samples.ts";
import { ORDINARY_ROLLOUT_MS } from "./timing.ts";

/** Nearly all that the new version brought is written by it; what is written by either comes by its share of the traffic. */
const BY_NEW_ALONE = 0.98;
/** One failing request may write several lines: so many count as one. */
const LINES_A_REQUEST = 2;

/**
 * Log likelihood ratio of "the new version alone writes these new errors" against "whichever version serves writes them",
 * from the lines written while both served: each was the new version's by chance as often as that had a share of the
 * traffic then, measured where it is by version, else growing evenly over the rollout. Lines from after it say nothing:
 * nobody else could have written them. Nor do those that complain of somebody else. 0 where there are none.
 */
export function linesByVersion(change: Change, signatures: readonly NewSignature[], index: SampleIndex): number {
  const sharesAt = sharesOf(change, index);
  const lines = signatures
    .filter(({ service, names, complains }) => service === change.service && names.length === 0 && !complains)
    .flatMap(({ written }) => written);
  let nats = 0;
  for (const { at, version } of lines) {
    if (version === undefined || at < change.startedAt || (change.finishedAt !== null && at > change.finishedAt))
      continue;
    const shares = sharesAt(at).map((share) => Math.max(1 - BY_NEW_ALONE, Math.min(BY_NEW_ALONE, share)));
    // The share within a step is not known: each line counts by the one that says least for the new version.
    if (version === change.to) nats += Math.log(BY_NEW_ALONE / Math.max(...shares));
    else nats += Math.log((1 - BY_NEW_ALONE) / (1 - Math.min(...shares)));
  }
  return nats / LINES_A_REQUEST;
}

/** What the new version's share of the traffic may be at a moment of its rollout, 0 to 1: evenly grown, and as measured around it. */
function sharesOf(
  { service, to, startedAt, finishedAt }: Change,
  index: SampleIndex,
): (at: number) => readonly number[] {
  const whole = index.whole(service, "request_rate");
  const own = index.byVersion(service, "request_rate").get(to);
  const stepMs = own?.stepMs ?? 0;
  const endsAt = finishedAt ?? startedAt + ORDINARY_ROLLOUT_MS;
  const share = (from: number, at: number): readonly number[] => {
    const [fresh] = valuesBetween(own, from, at).slice(-1);
    const [all] = valuesBetween(whole, from, at).slice(-1);
    return fresh === undefined || all === undefined || !(all > 0) ? [] : [fresh / all];
  };
  return (at) => [
    (at - startedAt) / Math.max(1, endsAt - startedAt),
    ...share(at - stepMs, at),
    ...share(at, at + stepMs),
    ...share(at + stepMs, at + 2 * stepMs),
  ];
}
