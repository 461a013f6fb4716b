import type { Finding, Onset } from "../model/finding.ts";

/** Unrelated troubles are counted by the half hour: their onset lies anywhere in it. */
const WINDOW_MS = 1_800_000;

/**
 * The chance that an unrelated trouble of a service, once there is one in the half hour, begins at least as near to this
 * one as the service's own is seen to. Fine samples make meeting by chance rare; at five minutes a step it is ordinary.
 * Without findings of the service: the time that its samples were judged over.
 */
export function beginsTogether(
  near: readonly Finding[],
  onset: Onset,
  at: number,
  stepMs: number,
): (service: string) => number {
  const chance = (widthMs: number) => Math.min(1, (widthMs + 2 * stepMs) / WINDOW_MS);
  const width = ({ earliest, latest }: Onset) => latest - earliest;
  const byService = Map.groupBy(near, ({ service }) => service);
  const unseen = chance(at - onset.earliest);
  const known = new Map<string, number>();
  const chanceOf = (service: string): number => {
    const onsets = (byService.get(service) ?? []).flatMap((one) => (one.onset === null ? [] : [one.onset]));
    if (onsets.length === 0) return unseen;
    const apart = (one: Onset) => Math.max(0, one.earliest - onset.latest, onset.earliest - one.latest);
    return Math.min(...onsets.map((one) => chance(width(one) + width(onset) + 2 * apart(one))));
  };
  return (service) => {
    const found = known.get(service) ?? chanceOf(service);
    known.set(service, found);
    return found;
  };
}
