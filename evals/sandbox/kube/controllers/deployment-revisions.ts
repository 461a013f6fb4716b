import type { Deployment, Labels, ReplicaSet } from "../objects.ts";
import { rollingLimits, wantedReplicas } from "./deployment-replicas.ts";

export const REVISION = "deployment.kubernetes.io/revision";
export const REVISION_HISTORY = "deployment.kubernetes.io/revision-history";
export const DESIRED_REPLICAS = "deployment.kubernetes.io/desired-replicas";
export const MAX_REPLICAS = "deployment.kubernetes.io/max-replicas";

/** Annotations that say something of the one object that they stand on. */
const NOT_COPIED = new Set([
  "kubectl.kubernetes.io/last-applied-configuration",
  "deprecated.deployment.rollback.to",
  REVISION,
  REVISION_HISTORY,
  DESIRED_REPLICAS,
  MAX_REPLICAS,
]);

/** The revision of a ReplicaSet, 0 where it has none. */
export function revisionOf({ metadata }: ReplicaSet | Deployment): number {
  const text = metadata.annotations?.[REVISION] ?? "";
  return /^\d+$/.test(text) ? Number(text) : 0;
}

/**
 * Annotations of the newest ReplicaSet: those of the Deployment, and its revision. One that becomes the newest again
 * after a rollback gets the next number and remembers those that it had.
 *
 * @see https://github.com/kubernetes/kubernetes/blob/v1.32.0/pkg/controller/deployment/util/deployment_util.go
 */
export function newestAnnotations(deployment: Deployment, revision: number, existing?: ReplicaSet): Labels {
  const copied = Object.entries(deployment.metadata.annotations ?? {}).filter(([key]) => !NOT_COPIED.has(key));
  const own = existing?.metadata.annotations ?? {};
  const merged = { ...own, ...Object.fromEntries(copied) };
  if (existing === undefined) return { ...merged, ...sizeAnnotations(deployment), [REVISION]: String(revision) };
  const before = own[REVISION];
  if (revisionOf(existing) >= revision) return merged;
  const history = before === undefined ? {} : { [REVISION_HISTORY]: joined(own[REVISION_HISTORY], before) };
  return { ...merged, ...history, [REVISION]: String(revision) };
}

/** Longest revision history that the controller keeps, in characters. */
const HISTORY_LIMIT = 2000;

function joined(history: string | undefined, revision: string): string {
  const numbers = [...(history ?? "").split(",").filter((part) => part !== ""), revision];
  while (numbers.join(",").length > HISTORY_LIMIT) numbers.shift();
  return numbers.join(",");
}

/** What the Deployment's size was when the ReplicaSet was last sized, by which a later change of it is noticed. */
export function sizeAnnotations(deployment: Deployment): Labels {
  const wanted = wantedReplicas(deployment);
  return {
    [DESIRED_REPLICAS]: String(wanted),
    [MAX_REPLICAS]: String(wanted + rollingLimits(deployment).maxSurge),
  };
}
