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
 * A deploy that two sources tell of, as one change: what Argo CD synced, and the rollout of a workload that Kubernetes saw
 * come of it. Two changes for one event would halve what each is suspected of. The one that stays is Argo CD's (its id,
 * author, commit and place in the history are what a rollback needs), with the versions and the end as Kubernetes tells
 * them: metrics and logs name those versions, and a sync ends before its pods are up. A rollout without a sync stays by
 * itself, and so does the second of a workload after one, and one by kubectl: somebody made it past Argo CD. Pure; the order is that of what comes in.
 */
export function oneDeploy(changes: readonly Change[]): readonly Change[] {
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
  return {
    ...first,
    ...sync,
    from: first.from,
    to: first.to,
    startedAt: Math.min(sync.startedAt, first.startedAt),
    finishedAt: ends.includes(null) ? null : Math.max(...ends.map((end) => end ?? 0)),
    ...(releasedBy.length === 0 ? {} : { releasedBy }),
    ...(own ? { ownRollback: true } : {}),
  };
}
