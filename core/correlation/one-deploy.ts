import type { Change } from "../model/change.ts";

/** Clocks of two systems, and times that one of them keeps in whole seconds. */
export const EARLY_MS = 5_000;
/**
 * How long after a sync began its workloads may still be changed by it: a sync with several waves waits for each to be
 * healthy, up to Kubernetes' progress deadline.
 * @see https://argo-cd.readthedocs.io/en/stable/user-guide/sync-waves/
 */
export const SYNC_MS = 600_000;

/**
 * Each deploy once, whoever tells of it: first a sync of Argo CD and the rollouts that come of it (`ofSyncs`), then what
 * several sources tell of with the same versions (`toldTwice`). The other ids stay as aliases. Pure; the order is that of
 * what comes in.
 */
export const oneDeploy = (changes: readonly Change[]): readonly Change[] => toldTwice(ofSyncs(changes));

/**
 * A deploy that two sources tell of, as one change: what Argo CD synced, and the rollout of a workload that Kubernetes saw
 * come of it. Two changes for one event would halve what each is suspected of. The one that stays is Argo CD's (its id,
 * author, commit and place in the history are what a rollback needs), with the versions and the end as Kubernetes tells
 * them: metrics and logs name those versions, and a sync ends before its pods are up. A rollout without a sync stays by
 * itself, and so does the second of a workload after one, and one by kubectl: somebody made it past Argo CD. Pure.
 */
function ofSyncs(changes: readonly Change[]): readonly Change[] {
  const syncs = changes.filter(isSync).toSorted((a, b) => a.startedAt - b.startedAt);
  if (syncs.length === 0) return changes;
  const rollouts = new Map<Change, Change[]>();
  const taken = new Set<Change>();
  for (const change of changes.toSorted((one, other) => one.startedAt - other.startedAt)) {
    if (change.kind !== "deploy" || isSync(change) || change.workload === undefined || isByHand(change)) continue;
    const sync = syncs.findLast(
      ({ service, startedAt }) =>
        service === change.service &&
        change.startedAt >= startedAt - EARLY_MS &&
        change.startedAt <= startedAt + SYNC_MS,
    );
    if (sync === undefined) continue;
    const known = rollouts.get(sync) ?? [];
    // A sync changes a workload once: what changed it again came from elsewhere.
    if (
      known.some(({ workload }) => workload?.kind === change.workload?.kind && workload?.name === change.workload?.name)
    )
      continue;
    rollouts.set(sync, [...known, change]);
    taken.add(change);
  }
  return changes.filter((change) => !taken.has(change)).map((change) => joined(change, rollouts.get(change) ?? []));
}

const isSync = ({ workload }: Change): boolean => workload?.kind === "Application";

/** The name under which kubectl writes begins so; Argo CD applies under one of its own. */
const isByHand = ({ author }: Change): boolean => author?.startsWith("kubectl") ?? false;

function joined(sync: Change, rollouts: readonly Change[]): Change {
  const [first] = rollouts;
  if (first === undefined) return sync;
  const ends = rollouts.map(({ finishedAt }) => finishedAt);
  const releasedBy = [sync, ...rollouts].flatMap((one) => one.releasedBy ?? []);
  const own = sync.ownRollback === true || rollouts.some(({ ownRollback }) => ownRollback === true);
  return withEndOf(rollouts, {
    ...first,
    ...sync,
    from: first.from,
    to: first.to,
    startedAt: Math.min(sync.startedAt, first.startedAt),
    finishedAt: ends.includes(null) ? null : Math.max(...ends.map((end) => end ?? 0)),
    aliases: rollouts.map(({ id }) => id),
    ...(releasedBy.length === 0 ? {} : { releasedBy }),
    ...(own ? { ownRollback: true } : {}),
  });
}

/** One change of several: its end was seen where those of them that ended then were. */
function withEndOf(told: readonly Change[], { endUnseen: _, ...change }: Change): Change {
  const last = told.filter(({ finishedAt }) => finishedAt !== null && finishedAt === change.finishedAt);
  return last.length > 0 && last.every(({ endUnseen }) => endUnseen === true) ? { ...change, endUnseen: true } : change;
}

/**
 * One deploy of a service that several sources tell of under ids of their own: the same versions before and after, at
 * times that meet within the difference of two clocks, each source telling of it once. A service cannot go from one version
 * to another twice without going back in between: what begins after a way back is another deploy. So are the parts of a
 * service with several workloads, where two sources name different ones.
 */
function toldTwice(changes: readonly Change[]): readonly Change[] {
  const told: Change[][] = [];
  for (const change of changes.toSorted((a, b) => a.startedAt - b.startedAt || (a.id < b.id ? -1 : 1))) {
    const same = told.findLast(
      (one) => one.every((other) => maySpeakOfOne(other, change)) && !isLeft(one, change, changes),
    );
    if (same === undefined) told.push([change]);
    else same.push(change);
  }
  const kept = new Map(told.map((one) => [one.toSorted(byUse)[0], one]));
  return changes.flatMap((change) => {
    const one = kept.get(change);
    return one === undefined ? [] : asOne(change, one);
  });
}

function maySpeakOfOne(one: Change, other: Change): boolean {
  if (one.kind !== "deploy" || other.kind !== "deploy" || one.source === other.source) return false;
  if (one.service !== other.service || one.environment !== other.environment) return false;
  if (one.from !== other.from || one.to !== other.to || one.from === one.to || one.to === "") return false;
  return isSamePlace(one, other) && other.startedAt <= latestEnd(one) + EARLY_MS;
}

/** Who tells of a deploy when it begins may be done with it long before another source sees what comes of it. */
const latestEnd = ({ startedAt, finishedAt }: Change): number => Math.max(finishedAt ?? 0, startedAt + SYNC_MS);

function isSamePlace({ workload: a }: Change, { workload: b }: Change): boolean {
  if (a === undefined || b === undefined) return true;
  return a.kind === b.kind && a.namespace === b.namespace && a.name === b.name;
}

/** Whether the service was brought to another version between what is told of one deploy and what begins later. */
const isLeft = (one: readonly Change[], later: Change, changes: readonly Change[]): boolean =>
  changes.some(
    (other) =>
      other.kind === "deploy" &&
      other.service === later.service &&
      isSamePlace(other, later) &&
      other.to !== later.to &&
      other.startedAt > Math.min(...one.map(({ startedAt }) => startedAt)) &&
      other.startedAt <= later.startedAt,
  );

/** The one that can be undone comes first: it names its place and the revision to go back to; then the earliest. */
const byUse = (a: Change, b: Change): number =>
  useOf(b) - useOf(a) || a.startedAt - b.startedAt || (a.id < b.id ? -1 : 1);

const useOf = ({ reversible, workload, fromRevision }: Change): number =>
  (reversible ? 4 : 0) + (workload === undefined ? 0 : 2) + (fromRevision === undefined ? 0 : 1);

function asOne(kept: Change, told: readonly Change[]): Change {
  const others = told.filter((one) => one !== kept);
  if (others.length === 0) return kept;
  const ends = told.flatMap(({ finishedAt }) => finishedAt ?? []);
  const known: Change = Object.assign({}, ...others, kept);
  return withEndOf(told, {
    ...known,
    startedAt: Math.min(...told.map(({ startedAt }) => startedAt)),
    finishedAt: ends.length === 0 ? null : Math.max(...ends),
    aliases: told.flatMap(({ id, aliases = [] }) => (id === kept.id ? aliases : [id, ...aliases])),
    ...(told.some(({ ownRollback }) => ownRollback === true) ? { ownRollback: true } : {}),
  });
}
