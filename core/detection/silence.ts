import type { Rollout } from "../model/evidence.ts";

/**
 * How long a signal of this step may say nothing before it counts as silent, ms: two steps, so that one lost sample is
 * none, and a minute, so that a restart of what measures it is none either.
 */
export const silentAfter = (stepMs: number): number => 2 * stepMs + 60_000;

/**
 * Rollouts as they may still be believed at `now`: one that nobody has been able to look at for as long as makes a
 * signal silent has status "unknown" (S9). What was seen of it last (versions, revisions, counts) stays.
 */
export function believableRollouts(rollouts: readonly Rollout[], now: number, stepMs: number): readonly Rollout[] {
  const oldest = now - silentAfter(stepMs);
  return rollouts.map((rollout) => (rollout.observedAt < oldest ? { ...rollout, status: "unknown" } : rollout));
}

/**
 * Rollouts of an answer that is kept, since its source has none now: they tell which versions and revisions stand where,
 * as far as anyone knows (`observedAt` says since when nobody looked), and neither trouble nor health. A status that
 * nobody has read opens, acts on and proves nothing (S9).
 */
export const keptRollouts = (rollouts: readonly Rollout[]): readonly Rollout[] =>
  rollouts.map((rollout) => (rollout.status === "unknown" ? rollout : { ...rollout, status: "unknown" }));
