import type { Finding, Onset } from "../model/finding.ts";

/** Unrelated troubles are counted by the half hour: their onset lies anywhere in it. */
const WINDOW_MS = 1_800_000;

/**
 * The chance that an unrelated trouble of a service, once there is one in the half hour, begins where the service's own
 * begins as far as it can be seen. Fine samples make meeting by chance rare; at five minutes a step it is ordinary.
 * 1 where every finding of the service began at another time. Without findings: the time that its samples were judged over.
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
  return (service) => {
    const onsets = (byService.get(service) ?? []).flatMap((one) => (one.onset === null ? [] : [one.onset]));
    if (onsets.length === 0) return unseen;
    const same = onsets.filter((one) => one.earliest <= onset.latest + stepMs && onset.earliest <= one.latest + stepMs);
    return same.length === 0 ? 1 : Math.min(...same.map((one) => chance(width(one) + width(onset))));
  };
}
