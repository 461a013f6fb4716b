import type { Stage } from "./family.ts";
import { outside } from "./stories.ts";
import { joinedTo } from "./world/islands.ts";
import { DAY, type Fault, MINUTE, type ServiceModel } from "./world/model.ts";

/** What the record looks like where nobody knows who calls whom. */
export const NO_GRAPH = { topology: false, spans: false } as const;

/** Days that the long-term store kept: what has been degraded for weeks is so in all of them. */
export const WEEKS = { coarseDays: 14 } as const;

/**
 * A service that has been degraded since before the record begins, and that nobody mends: some of its requests fail, or
 * it is slow; in bouts it is worse, as trouble that depends on load or on a peer is.
 */
export function chronic(stage: Stage, service: ServiceModel): readonly Fault[] {
  const { draw, clock } = stage;
  const always = [clock.watchStart - 30 * DAY, Number.POSITIVE_INFINITY] as const;
  const errors = draw.uniform(0.03, 0.2);
  const factor = draw.uniform(1.6, 3);
  const failing = draw.chance(0.7);
  const part = (share: number): Partial<Fault> =>
    failing
      ? { errors: errors * share, signature: "upstream partner rejected the request id={id}" }
      : { latencyFactor: 1 + (factor - 1) * share, signature: "lock wait of {ms}ms on table 'jobs' id={id}" };
  const bouts = { everyMs: draw.uniform(20, 70) * MINUTE, onMs: draw.uniform(4, 12) * MINUTE };
  return [
    outside(service, ...always, part(1)),
    ...(draw.chance(0.6) ? [outside(service, ...always, { ...part(draw.uniform(0.15, 0.4)), pulse: bouts })] : []),
  ];
}

/** Busy services that no call joins to this one, however many lie between. */
export function busyApartFrom(stage: Stage, name: string, perSecond?: number): readonly ServiceModel[] {
  const joined = joinedTo(name, stage.system);
  return stage.busy(perSecond).filter((other) => !joined.has(other.name));
}
