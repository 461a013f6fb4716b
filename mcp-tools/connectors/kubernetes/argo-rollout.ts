import type { HistoryEntry, Workload } from "./history.ts";
import { isRollout, podHash } from "./history.ts";

/** A new version of an Argo Rollout beside its stable one. */
export interface Trial {
  readonly newest: HistoryEntry;
  readonly stable: HistoryEntry;
  /** All traffic is back at the stable version; the spec still asks for the new one. */
  readonly aborted: boolean;
  /** Its controller was told to skip all that is left. */
  readonly promoting: boolean;
  readonly paused: boolean;
  /** Share of the traffic that the new version gets, 0 to 1; null where no router tells. */
  readonly share: number | null;
}

/**
 * The trial that a Rollout is in; null for any other object, for one that is wholly at its newest version, and while
 * its controller has not caught up with a write or keeps one of the two versions no more.
 *
 * @see https://github.com/argoproj/argo-rollouts/blob/9f8d111/pkg/apis/rollouts/v1alpha1/types.go (RolloutStatus)
 */
export function trialOf({ object, history, current }: Workload): Trial | null {
  if (!isRollout(object) || current === null) return null;
  const { stableRS, currentPodHash, abort, promoteFull, phase, canary } = object.status;
  const stable = history.find((entry) => podHash(entry) === stableRS);
  if (stable === undefined || stableRS === currentPodHash) return null;
  const weight = canary.weights?.canary.weight;
  return {
    newest: current,
    stable,
    aborted: abort,
    promoting: promoteFull,
    paused: object.spec.paused || phase === "Paused",
    share: weight === undefined ? null : weight / 100,
  };
}
