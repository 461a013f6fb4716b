import { ORDINARY_ROLLOUT_MS } from "../../core/correlation/timing.ts";
import type { CaseFile } from "../../core/model/assessment.ts";
import type { Change } from "../../core/model/change.ts";
import type { Incident } from "../../core/model/incident.ts";
import { changesOf, isChangedSince } from "./changed-since.ts";
import { QUIET_STEPS } from "./ending.ts";
import { servicesOf } from "./incident-state.ts";

/** Which group of degraded services each open incident is judged by. */
export interface Allotment {
  /** By incident: the degraded services that are its own now. An incident with a plan or act keeps what it holds. */
  readonly homes: ReadonlyMap<string, readonly string[]>;
  /** Incidents that hold a group which is apart from the rest, and leaves unless they are found together again. */
  readonly parting: ReadonlySet<string>;
  /** By incident: services that it holds no longer, since another group explains them. */
  readonly left: ReadonlyMap<string, readonly string[]>;
  /** Incidents that turned out to be one, the younger in the older; neither has a plan or act. */
  readonly merged: readonly { readonly from: Incident; readonly into: Incident }[];
  /** Groups that are no incident's: new ones, and what splits off. */
  readonly rest: readonly (readonly string[])[];
}

/** Something was planned or done for it: it keeps its services, its onset and its baselines, whatever the groups do. */
export const isBound = ({ plan, gate, stage }: Incident): boolean =>
  plan !== null || gate !== null || stage === "executing" || stage === "verifying";

/**
 * So many evaluations in a row have to tell two groups apart that were one: estimates of an onset move with each sample after
 * an alarm. As at the end of an alarm (`signal-watch.ts`), two new samples have to agree with what one says; three
 * evaluations, a step apart, are as many as hold two new samples at whatever time within the step those come in.
 */
export const APART_LOOKS = 3;

/** By incident: how many evaluations in a row each of its degraded services was apart from the rest of it. */
export interface Apart {
  readonly looks: Map<string, Map<string, number>>;
  /** The evaluation that was counted last, Unix ms: groups that are given out twice in it are one look. */
  countedAt: number;
}

/** Of incidents that an earlier process left, nothing is known to have been well meanwhile: their services are with the rest. */
export const apartOf = (open: readonly Incident[]): Apart => ({
  looks: new Map(open.map(({ id, trouble = [] }) => [id, new Map(trouble.map((name) => [name, 0]))])),
  countedAt: Number.NEGATIVE_INFINITY,
});

/**
 * Gives each group to at most one incident without a plan or act: to that with which it shares most (see `ownersOf`). What
 * an incident held and another group holds now leaves it: a service that was well meanwhile at once, one that was degraded
 * together with the rest after `APART_LOOKS`, one of which nothing is new (see `isStill`) not at all. `open`: oldest first.
 * `apart` is brought up to date. `isBusy`: whether a step of an incident is on its way: until it has an answer, it may have
 * a plan. `at`, `changes`: of the evidence.
 */
export function allot(
  open: readonly Incident[],
  groups: readonly (readonly string[])[],
  apart: Apart,
  { at, changes }: Pick<CaseFile, "at" | "changes">,
  isBusy: (id: string) => boolean = () => false,
): Allotment {
  const isNewLook = at !== apart.countedAt;
  apart.countedAt = at;
  const keeps = (one: Incident) => isBound(one) || isBusy(one.id);
  const bound = open.filter(keeps);
  const held = new Set(bound.flatMap((incident) => servicesOf(incident)));
  const homes = new Map<string, readonly string[]>();
  const parting = new Set<string>();
  const left = new Map<string, readonly string[]>();
  const merged: { readonly from: Incident; readonly into: Incident }[] = [];
  const takenBy = new Map<readonly string[], Incident>();
  const free = open.filter((one) => !keeps(one)).map((one) => ({ incident: one, own: judgedBy(one) }));
  const owners = ownersOf(free, groups, changes);
  for (const { incident, own } of free) {
    const before = apart.looks.get(incident.id) ?? new Map<string, number>();
    const now = new Map<string, number>();
    apart.looks.set(incident.id, now);
    const home = homeOf(incident, groups, own, changes);
    if (home === undefined) continue;
    const owner = owners.get(home);
    if (owner !== undefined && owner !== incident) {
      merged.push({ from: incident, into: owner });
      continue;
    }
    takenBy.set(home, incident);
    for (const name of home) now.set(name, 0);
    const kept: (readonly string[])[] = [home];
    const gone: string[] = [];
    for (const group of groups) {
      const shared = group.filter((name) => own.has(name) && !home.includes(name));
      if (group === home || shared.length === 0) continue;
      const counted = Math.max(...shared.map((name) => before.get(name) ?? APART_LOOKS));
      const looks = isNewLook ? counted + 1 : Math.max(1, counted);
      const goesOn = group.every(
        (name) =>
          own.has(name) &&
          !isChangedSince(name, incident.detectedAt, changes) &&
          (before.get(name) === GOES_ON || isStill(incident, name, changes)),
      );
      if ((goesOn || (looks > 0 && looks < APART_LOOKS)) && !owners.has(group) && !takenBy.has(group)) {
        takenBy.set(group, incident);
        kept.push(group);
        if (!goesOn) parting.add(incident.id);
        for (const name of shared) now.set(name, goesOn ? GOES_ON : looks);
      } else gone.push(...shared);
    }
    const services = [...new Set(kept.flat())].filter((name) => own.has(name) || !held.has(name));
    homes.set(incident.id, services.length > 0 ? services : home);
    if (gone.length > 0) left.set(incident.id, gone);
  }
  const ids = new Set(open.map(({ id }) => id));
  for (const id of apart.looks.keys()) if (!ids.has(id)) apart.looks.delete(id);
  return { homes, parting, left, merged, rest: groups.filter((group) => !takenBy.has(group)) };
}

/** In place of a count of looks: it was found to be no second incident, and stays until it was well. */
const GOES_ON = Number.NEGATIVE_INFINITY;

/**
 * Whether a service that is degraded apart from the rest, and that nobody changed since, is so by what the incident was
 * opened for: one whose signals were back for fewer samples than an incident must be quiet to end, since a signal that is back
 * for some samples has not ended; and one that a wide cause reached, of which fewer services than make it one are left. One
 * that was rolling out when the wide cause began may yet turn out to be broken by that, and is never held in it.
 */
function isStill(
  { signals = [], detectedAt, onset, wide }: Incident,
  name: string,
  changes: readonly Change[],
): boolean {
  const own = signals.filter(({ service }) => service === name);
  // Of one that joined in this very evaluation no signal is kept yet.
  if (own.length > 0) {
    if (own.every(({ well }) => well > QUIET_STEPS)) return false;
    if (own.every(({ well }) => well > 0)) return true;
  }
  const began = onset?.earliest ?? detectedAt;
  const isFresh = ({ finishedAt }: Change) => finishedAt === null || finishedAt + ORDINARY_ROLLOUT_MS >= began;
  return wide === true && !changesOf(name, changes).some(isFresh);
}

interface Free {
  readonly incident: Incident;
  readonly own: ReadonlySet<string>;
}

/**
 * Which incident goes on where several are judged by one group: that which held most of its services, so that a wide
 * failure is not told anew once a single service that met it for a moment leaves it again; of equals the oldest.
 */
function ownersOf(
  free: readonly Free[],
  groups: readonly (readonly string[])[],
  changes: readonly Change[],
): ReadonlyMap<readonly string[], Incident> {
  const best = new Map<readonly string[], { readonly incident: Incident; readonly held: number }>();
  for (const { incident, own } of free) {
    const home = homeOf(incident, groups, own, changes);
    if (home === undefined) continue;
    const held = home.filter((name) => own.has(name)).length;
    if (held > (best.get(home)?.held ?? -1)) best.set(home, { incident, held });
  }
  return new Map([...best].map(([home, { incident }]) => [home, incident]));
}

/**
 * What an incident without a plan or act is judged by. Whom else it affects, and where its cause is, may be degraded in a group of
 * its own, which is another incident's.
 */
const judgedBy = ({ trouble, superseded = [], ...incident }: Incident): ReadonlySet<string> => {
  const left = new Set(superseded.map((one) => one.service));
  return new Set((trouble ?? servicesOf(incident)).filter((name) => !left.has(name)));
};

/**
 * The group that an incident is judged by; undefined: none of its services is degraded. Where it has come apart, that
 * in which somebody has not changed all that it holds since the detection: what a newer change degrades leaves, whatever
 * the incident is named after. Of those the one that it is named after, else that which holds most of it.
 */
function homeOf(
  { service, detectedAt }: Incident,
  groups: readonly (readonly string[])[],
  own: ReadonlySet<string>,
  changes: readonly Change[],
): readonly string[] | undefined {
  const shared = (group: readonly string[]) => group.filter((name) => own.has(name));
  const its = groups.filter((group) => shared(group).length > 0);
  const asItWas = its.filter((group) => shared(group).some((name) => !isChangedSince(name, detectedAt, changes)));
  const among = asItWas.length > 0 ? asItWas : its;
  const named = among.find((group) => group.includes(service) && own.has(service));
  return named ?? among.toSorted((a, b) => shared(b).length - shared(a).length)[0];
}
