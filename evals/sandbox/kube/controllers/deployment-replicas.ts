import type { Deployment, IntOrPercent, ReplicaSet } from "../objects.ts";

export const wantedReplicas = ({ spec }: Deployment | ReplicaSet): number => spec.replicas ?? 1;

export function totalReplicas(sets: readonly ReplicaSet[]): number {
  return sets.reduce((sum, set) => sum + wantedReplicas(set), 0);
}

/** A number, or a percentage of `total` rounded up or down. */
export function resolved(value: IntOrPercent, total: number, round: "up" | "down"): number {
  if (typeof value === "number") return value;
  const share = (Number.parseInt(value, 10) * total) / 100;
  return round === "up" ? Math.ceil(share) : Math.floor(share);
}

export interface RollingLimits {
  readonly maxSurge: number;
  readonly maxUnavailable: number;
}

/** How many pods too many and too few a rolling update may have; both zero would never move, so that one may lack. */
export function rollingLimits({ spec }: Deployment): RollingLimits {
  if (spec.strategy?.type === "Recreate") return { maxSurge: 0, maxUnavailable: 0 };
  const { maxSurge = "25%", maxUnavailable = "25%" } = spec.strategy?.rollingUpdate ?? {};
  const replicas = spec.replicas ?? 1;
  const surge = resolved(maxSurge, replicas, "up");
  const unavailable = Math.min(resolved(maxUnavailable, replicas, "down"), replicas);
  return { maxSurge: surge, maxUnavailable: surge === 0 && unavailable === 0 ? 1 : unavailable };
}

/** Replicas for the newest ReplicaSet now, within `maxSurge`. */
export function newSetReplicas(deployment: Deployment, all: readonly ReplicaSet[], newest: number): number {
  const wanted = wantedReplicas(deployment);
  if (deployment.spec.strategy?.type === "Recreate") return wanted;
  const room = wanted + rollingLimits(deployment).maxSurge - totalReplicas(all);
  if (room <= 0) return newest;
  return newest + Math.min(room, wanted - newest);
}

export interface Resize {
  readonly set: ReplicaSet;
  readonly replicas: number;
}

const byAge = (sets: readonly ReplicaSet[]) =>
  sets.toSorted(
    (a, b) => Date.parse(a.metadata.creationTimestamp ?? "") - Date.parse(b.metadata.creationTimestamp ?? ""),
  );

/**
 * What a rolling update takes from the old ReplicaSets now: first pods that are not available anyway, then as many
 * as availability allows, oldest set first.
 *
 * @see https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#rolling-update-deployment
 */
export function oldSetResizes(
  deployment: Deployment,
  olds: readonly ReplicaSet[],
  newest: ReplicaSet,
): readonly Resize[] {
  const minAvailable = wantedReplicas(deployment) - rollingLimits(deployment).maxUnavailable;
  const newUnavailable = wantedReplicas(newest) - (newest.status?.availableReplicas ?? 0);
  let mayClean = totalReplicas([...olds, newest]) - minAvailable - newUnavailable;
  if (totalReplicas(olds) === 0 || mayClean <= 0) return [];

  const left = new Map<ReplicaSet, number>();
  for (const set of byAge(olds)) {
    const replicas = wantedReplicas(set);
    const broken = Math.min(Math.max(0, mayClean), Math.max(0, replicas - (set.status?.availableReplicas ?? 0)));
    mayClean -= broken;
    left.set(set, replicas - broken);
  }
  const available = [...olds, newest].reduce((sum, { status }) => sum + (status?.availableReplicas ?? 0), 0);
  let mayTake = available - minAvailable;
  for (const [set, replicas] of left) {
    const taken = Math.min(Math.max(0, mayTake), replicas);
    mayTake -= taken;
    left.set(set, replicas - taken);
  }
  return [...left].flatMap(([set, replicas]) => (replicas === wantedReplicas(set) ? [] : [{ set, replicas }]));
}

/**
 * How a change of the Deployment's replicas is spread while a rollout is under way: in proportion to the size of
 * each ReplicaSet, what is left over to the largest.
 */
export function proportionalResizes(
  deployment: Deployment,
  sets: readonly ReplicaSet[],
  maxReplicasOf: (set: ReplicaSet) => number,
): readonly Resize[] {
  const active = sets.filter((set) => wantedReplicas(set) > 0);
  const wanted = wantedReplicas(deployment);
  const allowed = wanted > 0 ? wanted + rollingLimits(deployment).maxSurge : 0;
  const toAdd = allowed - totalReplicas(active);
  const sign = toAdd > 0 ? -1 : 1;
  const born = ({ metadata }: ReplicaSet) => Date.parse(metadata.creationTimestamp ?? "");
  const ordered = active.toSorted((a, b) => wantedReplicas(b) - wantedReplicas(a) || sign * (born(a) - born(b)));
  let added = 0;
  const sizes = ordered.map((set) => {
    const share = toAdd === 0 ? 0 : fraction(set, allowed, maxReplicasOf(set), toAdd, added);
    added += share;
    return { set, replicas: wantedReplicas(set) + share };
  });
  return sizes.map(({ set, replicas }, index) => ({
    set,
    replicas: Math.max(0, index === 0 ? replicas + toAdd - added : replicas),
  }));
}

function fraction(set: ReplicaSet, allowed: number, before: number, toAdd: number, added: number): number {
  const replicas = wantedReplicas(set);
  const share = Math.round((replicas * allowed) / Math.max(1, before)) - replicas;
  const rest = toAdd - added;
  if (rest === 0) return 0;
  return toAdd > 0 ? Math.min(share, rest) : Math.max(share, rest);
}
