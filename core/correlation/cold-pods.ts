import type { Change } from "../model/change.ts";
import { type SampleIndex, samplesBetween } from "./samples.ts";

/**
 * Pods are warm, as a rule, after about a minute (class loading, caches, pools): so long is the time in which a cold
 * start falls to 1/e.
 * @see https://kubernetes.io/docs/concepts/workloads/pods/probes/ (startup probes: pods that need long to start)
 */
export const WARM_MS = 60_000;

/**
 * The share of a new version's requests that pods answered which had started less than `WARM_MS` before, 0 to 1. While a rollout goes on
 * more of them start all the time: that the new version has served for a minute makes it warm only where it serves
 * no more than it did a minute ago. By the share of all requests that it served now and then; where nobody counts those by version, as if
 * pods were replaced at an even pace from the start of the change until its end (`until`, Unix ms), or at once for a canary's share. Pure.
 */
export function coldShare(change: Change, at: number, until: number, index: SampleIndex): number {
  const now = servedShare(change, at, index) ?? replacedShare(change, at, until);
  const then = servedShare(change, at - WARM_MS, index) ?? replacedShare(change, at - WARM_MS, until);
  return now <= 0 ? 1 : Math.max(0, Math.min(1, 1 - then / now));
}

/** The new version's share of the requests in the newest sample by then, of either; 0 before its first; null: not counted by version. */
function servedShare({ service, from, to, startedAt }: Change, at: number, index: SampleIndex): number | null {
  const rates = index.byVersion(service, "request_rate");
  const fresh = rates.get(to);
  if (fresh === undefined) return null;
  const served = samplesBetween(fresh, startedAt, at).at(-1);
  if (served === undefined) return 0;
  const beside = samplesBetween(rates.get(from), startedAt, at).findLast((one) => one.at >= served.at)?.value ?? 0;
  return served.value <= 0 ? 0 : served.value / (served.value + beside);
}

function replacedShare({ startedAt, canary = 1 }: Change, at: number, until: number): number {
  if (at <= startedAt) return 0;
  return canary < 1 || until <= startedAt ? 1 : Math.min(1, (at - startedAt) / (until - startedAt));
}
