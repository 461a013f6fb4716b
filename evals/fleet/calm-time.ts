import { join } from "node:path";
import { MINUTE } from "../scenarios/world/model.ts";
import { writeBundle } from "../scenarios/write.ts";
import { CALM_MOMENT, calmWorld } from "./calm.ts";
import type { Composition, Member } from "./composition.ts";
import type { Composed } from "./replay-composition.ts";
import { answersOf } from "./worker-pool.ts";

/** What a number of services costs people while nothing is wrong. */
export interface CalmTime {
  readonly services: number;
  readonly hours: number;
  readonly deploys: number;
  readonly incidents: number;
  readonly pages: number;
  /** Incidents whose decision called for a rollback or a flag switched off. */
  readonly acts: number;
}

const HOUR_MS = 60 * MINUTE;
const EACH = 25;
/** Deploys of a service an hour: two in a working day of ten hours, as the busiest background of generated incidents. */
const DEPLOYS_AN_HOUR = 0.2;
const HISTORY_MS = 70 * MINUTE;

/** Watches `services` healthy services for `hours` hours, each hour of other systems drawn by `seed`. */
export async function calmTime(
  directory: string,
  seed: number,
  services: number,
  hours: number,
  onDone?: (done: number, all: number) => void,
): Promise<CalmTime> {
  const each = Math.min(EACH, services);
  const deploys = Math.round(DEPLOYS_AN_HOUR * each);
  const systems = Math.round(services / each);
  const compositions = Array.from({ length: hours }, (_, hour): Composition => {
    const members = Array.from({ length: systems }, (_, index): Member => {
      const name = `calm-time-${services}-${hour}-${index}`;
      const place = join(directory, name);
      const wishes = {
        services: each,
        deploys,
        beforeMs: HISTORY_MS,
        afterMs: HOUR_MS,
        deploysFromMs: 0,
        deploysToMs: HOUR_MS - 10 * MINUTE,
      };
      writeBundle(place, calmWorld(`${seed}/${name}`, wishes));
      return { directory: place, tag: letters(index), moment: CALM_MOMENT, atMs: 0 };
    });
    return { id: `${services} services, hour ${hour}`, members, beforeMs: 0, afterMs: HOUR_MS, stepMs: 15_000 };
  });
  const replayed = await answersOf<Composition, Composed>("composition-worker", compositions, onDone);
  const episodes = replayed.flatMap((one) => one.episodes);
  return {
    services,
    hours,
    deploys: deploys * systems * hours,
    incidents: episodes.length,
    pages: replayed.reduce((sum, { pagedAt }) => sum + pagedAt.length, 0),
    acts: episodes.filter(({ action }) => action === "rollback" || action === "feature_flag_disable").length,
  };
}

/** A tag of letters for each number. */
const letters = (index: number): string =>
  [...index.toString(26)].map((digit) => String.fromCodePoint(97 + Number.parseInt(digit, 26))).join("");
