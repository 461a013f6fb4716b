import type { Onset } from "../model/finding.ts";

/** Onsets further apart than this have two causes, unless they touch within what is uncertain. */
export const APART_MS = 600_000;

/** Time between two onsets that neither's uncertainty covers, ms; 0 where they may be one. */
export const gapBetween = (a: Onset, b: Onset): number => Math.max(a.earliest - b.latest, b.earliest - a.latest, 0);

export const isNear = (a: Onset, b: Onset): boolean => gapBetween(a, b) <= APART_MS;

/** An onset that is known to no better than ten minutes, as of most drifts, falls together with anything, and so with nothing. */
export function isSameOnset(a: Onset, b: Onset, slackMs = 0): boolean {
  if (gapBetween(a, b) > slackMs) return false;
  return [a, b].every(({ earliest, latest }) => latest - earliest <= APART_MS);
}

/** From the first to the last of them by the likeliest moment of each, ms; 0 for none. */
export function spreadOf(onsets: readonly Onset[]): number {
  const times = onsets.map(({ at }) => at);
  return times.length === 0 ? 0 : Math.max(...times) - Math.min(...times);
}
