import { join } from "node:path";
import { createDraw } from "../scenarios/draw.ts";
import { MINUTE, SECOND } from "../scenarios/world/model.ts";
import { writeBundle } from "../scenarios/write.ts";
import { CALM_MOMENT, calmWorld } from "./calm.ts";
import { type Member, type Neighbour, placed } from "./composition.ts";
import type { Material, Materials } from "./materials.ts";
import { readRecorded } from "./recorded.ts";

/** Worlds laid together: those whose decisions are compared with what they are alone, and what stands beside them. */
export interface Case {
  readonly name: string;
  readonly judged: readonly Member[];
  readonly beside: readonly Member[];
  readonly neighbours?: readonly Neighbour[];
}

/** One line of the table. */
export interface Kind {
  readonly name: string;
  readonly cases: readonly Case[];
  /** What stands beside may turn an act into a question, never a question into an act; absent: it changes nothing. */
  readonly mayAsk?: true;
}

/** Seconds from the first onset to the second. */
const APART_SECONDS = [0, 30, 60, 120, 300, 600];
/** Seconds from an incident's onset to when somebody else's disturbance begins. */
const DISTURBED_SECONDS = [-300, -120, -60, -30, 0, 30, 60, 120, 300];
/** Other services are deployed from so long before an onset to so long after it: twenty deploys in about half an hour. */
const DEPLOYS_FROM_MS = -25 * MINUTE;
const DEPLOYS_TO_MS = 10 * MINUTE;
/** As much history as the recordings of incidents have at least. */
const HISTORY_MS = 70 * MINUTE;

const member = (tag: string, { directory, moment }: Material, atMs = 0): Member => ({ directory, tag, moment, atMs });

/** Ordered pairs of different incidents, `count` of them or all that there are, drawn by `seed`; each delay in turn. */
export function pairs({ incidents }: Materials, seed: number, count: number): Kind {
  const all = incidents.flatMap((first) =>
    incidents.flatMap((second) => (first === second ? [] : [{ first, second }])),
  );
  const drawn = createDraw(`pairs/${seed}`).shuffle(all).slice(0, count);
  return {
    name: "two incidents, 0 to 600 s apart",
    cases: drawn.map(({ first, second }, index) => {
      const apart = APART_SECONDS[index % APART_SECONDS.length] ?? 0;
      return {
        name: `${first.name}, ${second.name} ${apart} s later`,
        judged: [member("a", first), member("b", second, apart * SECOND)],
        beside: [],
      };
    }),
  };
}

/** Each of the first `count` incidents beside a disturbance that no change caused. */
export function disturbed({ incidents, disturbances }: Materials, seed: number, count: number): Kind {
  const draw = createDraw(`disturbed/${seed}`);
  const chosen = draw.shuffle(incidents).slice(0, disturbances.length === 0 ? 0 : count);
  return {
    name: "beside a disturbance that no change caused",
    cases: chosen.map((incident) => {
      const other = draw.pick(disturbances);
      const apart = draw.pick(DISTURBED_SECONDS);
      return {
        name: `${incident.name}, ${other.name} ${apart} s later`,
        judged: [member("a", incident), member("b", other, apart * SECOND)],
        beside: [],
      };
    }),
  };
}

/** Healthy services to stand beside an incident, written into a folder: systems of `each` services with `deploys` deploys. */
export function writeCalm(
  directory: string,
  seed: number,
  size: { readonly systems: number; readonly each: number; readonly deploys: number },
): readonly Member[] {
  return Array.from({ length: size.systems }, (_, index) => {
    const name = `calm-${size.each}-${size.deploys}-${index}`;
    const place = join(directory, name);
    const wishes = {
      services: size.each,
      deploys: size.deploys,
      beforeMs: HISTORY_MS,
      afterMs: 40 * MINUTE,
      deploysFromMs: DEPLOYS_FROM_MS,
      deploysToMs: DEPLOYS_TO_MS,
    };
    writeBundle(place, calmWorld(`${seed}/${name}`, wishes));
    return { directory: place, tag: `calm${"abcdefgh"[index] ?? ""}`, moment: CALM_MOMENT, atMs: 0 };
  });
}

/** The first `count` incidents, each beside the same healthy services; `change` says what is known of either. */
export function besideCalm(
  name: string,
  { incidents }: Materials,
  calm: readonly Member[],
  count: number,
  change: { readonly own?: Partial<Member>; readonly others?: Partial<Member> } = {},
): Kind {
  return {
    name,
    cases: incidents.slice(0, count).map((incident) => ({
      name: incident.name,
      judged: [{ ...member("a", incident), ...change.own }],
      beside: calm.map((one) => ({ ...one, ...change.others })),
    })),
  };
}

/** Each of the first `count` incidents with a freshly deployed, unmeasured neighbour of the service whose change is the culprit. */
export function besideNeighbour({ incidents }: Materials, seed: number, count: number): Kind {
  const draw = createDraw(`neighbours/${seed}`);
  const cases = incidents.slice(0, count).flatMap((incident): readonly Case[] => {
    const { bundle, truth } = placed(readRecorded(incident.directory), member("a", incident));
    const culprit = bundle.changes.find(({ id }) => id === truth?.culprit);
    if (culprit === undefined) return [];
    const neighbour = {
      of: culprit.service,
      is: draw.pick(["caller", "callee"] as const),
      atMs: Math.round(draw.uniform(-3, 1) * MINUTE),
    };
    return [{ name: incident.name, judged: [member("a", incident)], beside: [], neighbours: [neighbour] }];
  });
  return { name: "an unmeasured neighbour, freshly deployed", cases, mayAsk: true };
}
