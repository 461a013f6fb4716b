import type { Change, WorkloadRef } from "../model/change.ts";
import { EARLY_MS, SYNC_MS } from "./one-deploy.ts";

/** Changes of several services that are one act: somebody released them together, and one decision is about all of them. */
export interface SharedChange {
  /** In the order in which they began. */
  readonly changeIds: readonly string[];
  /** The services that they are of, each once, in that order. */
  readonly services: readonly string[];
  /** What makes them one, a sentence for each reason. */
  readonly because: readonly string[];
}

/**
 * Groups changes that are one act of release: of one commit (a release train, a monorepo), brought by one object (the
 * sync of a parent application, a ConfigMap or Secret that several services read, a flag in one environment), and begun within one rollout: before
 * what came first has ended, or within the time that a sync of several waves may take (`SYNC_MS`). That two deploys begin
 * at the same moment makes them no act: ten teams deploy at ten o'clock. A second change of one object is another act,
 * and our own rollbacks belong to none. Only groups of two or more services; each change is in one group at most. Does not
 * depend on the order of what comes in; groups come in the order of their first change. Pure.
 */
export function sharedChange(changes: readonly Change[]): readonly SharedChange[] {
  const inOrder = changes
    .filter(({ ownRollback }) => ownRollback !== true)
    .toSorted((a, b) => a.startedAt - b.startedAt || (a.id < b.id ? -1 : 1));
  const acts = KINDS.flatMap((kind) =>
    [...byKey(inOrder, kind.keysOf)].flatMap(([key, same]) =>
      rolloutsOf(same).map((part) => ({ part, because: kind.words(part, key) })),
    ),
  ).filter(({ part }) => servicesOf(part).length > 1);
  return joined(acts, inOrder).map(({ part, because }) => ({
    changeIds: part.map(({ id }) => id),
    services: servicesOf(part),
    because,
  }));
}

/** What can make changes one act, and how that is said. `keysOf` empty: nothing of this kind is known of the change. */
const KINDS: readonly {
  readonly keysOf: (change: Change) => readonly string[];
  readonly words: (part: readonly Change[], key: string) => string;
}[] = [
  {
    keysOf: ({ commit }) => (commit === undefined || commit === "" ? [] : [commitKey(commit)]),
    words: (part) => `${servicesOf(part).length} services were deployed from commit ${part[0]?.commit} in one rollout`,
  },
  {
    keysOf: (change) => [...new Set(broughtBy(change).map(refKey))],
    words: (part, key) => {
      const by = part.flatMap(broughtBy).find((one) => refKey(one) === key);
      const count = servicesOf(part).length;
      if (by?.kind === "Application") return `${count} services were deployed by one sync of application ${by.name}`;
      if (by?.kind === "Checksum") return `${count} services were deployed with one new ${by.name}`;
      return `${count} services read ${by?.kind} ${by?.namespace}/${by?.name}, which was changed`;
    },
  },
  {
    keysOf: ({ kind, flag, environment }) =>
      kind !== "flag" || flag === undefined ? [] : [JSON.stringify([flag, environment ?? null])],
    words: (part) => `${servicesOf(part).length} services evaluate flag ${part[0]?.flag}, which was switched`,
  },
];

/** Objects that run nothing themselves; who reads them changes with them. */
const READ_BY_MANY: readonly string[] = ["ConfigMap", "Secret"];

/** The objects whose change brought this one: what its source tells, and itself where it is one that many read. */
export const broughtBy = ({ workload, releasedBy = [] }: Change): readonly WorkloadRef[] => [
  ...releasedBy,
  ...(workload !== undefined && READ_BY_MANY.includes(workload.kind) ? [workload] : []),
];

const refKey = ({ kind, namespace, name }: WorkloadRef): string => JSON.stringify([kind, namespace, name]);

/** Git's own abbreviation: sources tell of one commit at different lengths. @see git help rev-parse, core.abbrev */
const ABBREVIATED = 7;
const commitKey = (commit: string): string =>
  /^[0-9a-f]{7,64}$/i.test(commit) ? commit.slice(0, ABBREVIATED).toLowerCase() : commit;

function byKey(
  changes: readonly Change[],
  keysOf: (change: Change) => readonly string[],
): ReadonlyMap<string, readonly Change[]> {
  const all = changes.flatMap((change) => keysOf(change).map((key) => ({ key, change })));
  return new Map([...Map.groupBy(all, ({ key }) => key)].map(([key, same]) => [key, same.map(({ change }) => change)]));
}

const servicesOf = (part: readonly Change[]): readonly string[] => [...new Set(part.map(({ service }) => service))];

/** Cuts changes of one kind into rollouts: what begins when the earlier ones are over, or changes an object again, is the next. */
function rolloutsOf(same: readonly Change[]): readonly (readonly Change[])[] {
  const rollouts: Change[][] = [];
  for (const change of same) {
    const open = rollouts.at(-1);
    if (open !== undefined && isWithin(change, open)) open.push(change);
    else rollouts.push([change]);
  }
  return rollouts;
}

function isWithin(change: Change, open: readonly Change[]): boolean {
  const [first] = open;
  if (first === undefined || open.some((one) => objectOf(one) === objectOf(change))) return false;
  const ends = open.map(({ finishedAt }) => finishedAt ?? Number.POSITIVE_INFINITY);
  return change.startedAt <= Math.max(first.startedAt + SYNC_MS, ...ends.map((end) => end + EARLY_MS));
}

const objectOf = ({ service, kind, workload, flag, environment }: Change): string =>
  JSON.stringify([service, kind, workload?.kind, workload?.namespace, workload?.name, flag, environment]);

interface Act {
  readonly part: readonly Change[];
  readonly because: readonly string[];
}

/** Acts that have a change in common are one: a commit that carries a ConfigMap changes both. */
function joined(
  acts: readonly { readonly part: readonly Change[]; readonly because: string }[],
  inOrder: readonly Change[],
): readonly Act[] {
  let groups: Act[] = [];
  for (const { part, because } of acts) {
    const touching = groups.filter((one) => one.part.some((change) => part.includes(change)));
    const all = new Set([...touching.flatMap((one) => one.part), ...part]);
    const merged = {
      part: inOrder.filter((change) => all.has(change)),
      because: [...touching.flatMap((one) => one.because), because],
    };
    groups = [...groups.filter((one) => !touching.includes(one)), merged];
  }
  const place = ({ part: [first] }: Act) => (first === undefined ? 0 : inOrder.indexOf(first));
  return groups.toSorted((a, b) => place(a) - place(b));
}
