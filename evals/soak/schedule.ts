import type { Durations } from "../demo/durations.ts";
import type { Quirk } from "../sandbox/service/manifest.ts";
import { WORLDS, type WorldName } from "../sandbox/worlds.ts";
import { createDraw, type Draw } from "../scenarios/draw.ts";

/** How a version serves: well, or bad in one of three ways. */
export type Kind = "innocent" | "errors" | "latency" | "unready";

/** One deploy that is to come, `atMs` after the start. */
export interface Planned {
  readonly atMs: number;
  readonly world: WorldName;
  readonly service: string;
  readonly kind: Kind;
}

export interface ScheduleWishes {
  readonly forMs: number;
  readonly worlds: readonly WorldName[];
  readonly durations: Durations;
}

/**
 * How long a bad deploy has for itself in its world: until a policy holds, its rollback is verified, and half as long again. Within
 * it no second one breaks the same world; the other worlds go on.
 */
export const settleMs = ({ autoLatencyMs, verifyTimeoutMs }: Durations): number =>
  1.5 * (autoLatencyMs + verifyTimeoutMs);

/** A version that is to be restored must have served for the verification's timeout; twice that is beyond doubt. */
export const restMs = ({ verifyTimeoutMs }: Durations): number => 2 * verifyTimeoutMs;

/** One innocent deploy is tried so often; those too near to another deploy of their service are left out. */
const INNOCENT_EVERY_MS = 12_000;
/** How often an innocent deploy comes seconds before somebody else's bad one. */
const DECOYS = 0.6;

/**
 * Deploys of several worlds, drawn from a seed: in each world one bad deploy after the other, in all of them unrelated ones, many
 * seconds before a bad one elsewhere. Bad deploys of different worlds overlap as they fall. Ascending in time.
 */
export function drawSchedule(seed: number, wishes: ScheduleWishes): readonly Planned[] {
  const draw = createDraw(`soak/${seed}`);
  const bad = wishes.worlds.flatMap((world) => badOnes(draw.stream(world), world, wishes));
  const planned: Planned[] = [...bad];
  const add = (one: Planned) => {
    const near = planned.some(
      ({ service, atMs }) => service === one.service && Math.abs(atMs - one.atMs) < restMs(wishes.durations),
    );
    if (!near && one.atMs >= 0 && one.atMs < wishes.forMs) planned.push(one);
  };
  const decoys = draw.stream("decoys");
  for (const { atMs } of bad)
    if (decoys.chance(DECOYS)) add(innocent(decoys, wishes.worlds, atMs - decoys.uniform(1000, 8000)));
  const usual = draw.stream("usual");
  for (let at = usual.exponential(INNOCENT_EVERY_MS); at < wishes.forMs; at += usual.exponential(INNOCENT_EVERY_MS))
    add(innocent(usual, wishes.worlds, at));
  return planned.toSorted((a, b) => a.atMs - b.atMs);
}

function innocent(draw: Draw, worlds: readonly WorldName[], at: number): Planned {
  const world = draw.pick(worlds);
  return { atMs: Math.round(at), world, service: draw.pick<string>(WORLDS[world].services), kind: "innocent" };
}

/** Bad deploys of one world, one after the other, no service twice in a row; the last one has time to be undone. */
function badOnes(draw: Draw, world: WorldName, { forMs, durations }: ScheduleWishes): readonly Planned[] {
  const settle = settleMs(durations);
  const services: readonly string[] = WORLDS[world].services;
  const planned: Planned[] = [];
  for (let at = draw.uniform(0, settle / 3); at + settle <= forMs; at += settle + draw.uniform(0, settle / 3)) {
    const before = planned.at(-1)?.service;
    const service = draw.pick(services.filter((name) => name !== before));
    const kind = draw.pick<Kind>(["errors", "errors", "latency", "unready"]);
    planned.push({ atMs: Math.round(at), world, service, kind });
  }
  return planned;
}

/** What a kind's build has in its code. */
export function quirksOf(kind: Kind): readonly Quirk[] {
  switch (kind) {
    case "innocent":
      return [];
    case "errors":
      return [
        { kind: "throws", share: 0.35, message: "TypeError: cannot read properties of undefined (reading 'id')" },
      ];
    case "latency":
      return [{ kind: "waits", share: 0.4, ms: 3000 }];
    case "unready":
      return [{ kind: "stays-unready", message: "migration 0042 is missing: column does not exist" }];
  }
}
