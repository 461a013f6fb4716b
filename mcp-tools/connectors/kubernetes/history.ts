import type { KubeClient, WorkloadKind } from "./client.ts";
import {
  ControllerRevision,
  type Meta,
  type PodTemplate,
  ReplicaSet,
  type RolloutObject,
  type WorkloadObject,
} from "./objects.ts";
import { sameTemplate, templateMarks, versionOf } from "./template.ts";

/** One revision of a workload's pod template that its controller still keeps. */
export interface HistoryEntry {
  /** The controller's number, as kubectl shows it. */
  readonly revision: string;
  readonly number: number;
  readonly version: string;
  readonly template: PodTemplate;
  /** Of the ReplicaSet or ControllerRevision that holds it. */
  readonly meta: Meta;
  /** Numbers that the same template had before: a revision that comes back is renumbered. Of ReplicaSets only. */
  readonly formerly: readonly string[];
  /** What a ControllerRevision holds, as it came: the patch that restores it. Null for a ReplicaSet's. */
  readonly data: Readonly<Record<string, unknown>> | null;
}

/** A workload with its history, oldest revision first. */
export interface Workload {
  readonly kind: WorkloadKind;
  readonly object: WorkloadObject;
  readonly history: readonly HistoryEntry[];
  /** The entry whose template the object has now; null until its controller has caught up with a write. */
  readonly current: HistoryEntry | null;
}

/** Before "/revision" and "/revision-history" on a ReplicaSet. */
const ANNOTATIONS = { Deployment: "deployment.kubernetes.io", Rollout: "rollout.argoproj.io" } as const;

/**
 * The revisions of a Deployment or an Argo Rollout, from the ReplicaSets that it controls.
 *
 * @see https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#revision-history-limit
 * @see https://github.com/argoproj/argo-rollouts/blob/9f8d111/utils/annotations/annotations.go
 */
export function replicaSetHistory(
  kind: "Deployment" | "Rollout",
  object: WorkloadObject,
  replicaSets: readonly ReplicaSet[],
): Workload {
  const prefix = ANNOTATIONS[kind];
  const history = owned(object, replicaSets).flatMap(({ metadata, spec }) => {
    const revision = metadata.annotations[`${prefix}/revision`];
    const number = Number(revision);
    if (revision === undefined || !Number.isSafeInteger(number)) return [];
    const formerly = (metadata.annotations[`${prefix}/revision-history`] ?? "").split(",").filter((one) => one !== "");
    return [
      {
        revision,
        number,
        version: versionOf(spec.template),
        template: spec.template,
        meta: metadata,
        formerly,
        data: null,
      },
    ];
  });
  return workload(kind, object, history);
}

/**
 * The revisions of a StatefulSet or DaemonSet, from its ControllerRevisions.
 *
 * @see https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/controller-revision-v1/
 */
export function controllerHistory(
  kind: "StatefulSet" | "DaemonSet",
  object: WorkloadObject,
  revisions: readonly ControllerRevision[],
): Workload {
  const history = owned(object, revisions).flatMap(({ metadata, revision, data }) => {
    if (data === undefined) return [];
    const { $patch: _, ...template } = data.spec.template;
    return [
      {
        revision: String(revision),
        number: revision,
        version: versionOf(template),
        template,
        meta: metadata,
        formerly: [],
        data,
      },
    ];
  });
  return workload(kind, object, history);
}

/** The history of one workload, read now. Throws as the client does. */
export async function readHistory(
  client: KubeClient,
  kind: WorkloadKind,
  object: WorkloadObject,
  abort: AbortSignal,
): Promise<Workload> {
  const { namespace } = object.metadata;
  const filter = { labels: object.spec.selector.matchLabels };
  if (kind === "Deployment" || kind === "Rollout")
    return replicaSetHistory(kind, object, await client.list("ReplicaSet", namespace, ReplicaSet, abort, filter));
  return controllerHistory(
    kind,
    object,
    await client.list("ControllerRevision", namespace, ControllerRevision, abort, filter),
  );
}

function workload(kind: WorkloadKind, object: WorkloadObject, entries: readonly HistoryEntry[]): Workload {
  const history = entries.toSorted((a, b) => a.number - b.number);
  const current = isRollout(object)
    ? currentOfRollout(object, history)
    : (history.findLast(({ template }) => sameTemplate(template, object.spec.template)) ?? null);
  return { kind, object, history, current };
}

/** A Rollout's template is not filled up with defaults as its ReplicaSets' are: its controller says which one it means. */
function currentOfRollout({ metadata, status }: RolloutObject, history: readonly HistoryEntry[]): HistoryEntry | null {
  if (status.observedGeneration < metadata.generation) return null;
  return history.find((entry) => podHash(entry) === status.currentPodHash) ?? null;
}

export const isRollout = (object: WorkloadObject): object is RolloutObject => "stableRS" in object.status;

/** What a Rollout's status calls a ReplicaSet by. */
export function podHash({ meta, template }: Pick<HistoryEntry, "meta" | "template">): string | null {
  return meta.labels[POD_HASH] ?? templateMarks(template).labels[POD_HASH] ?? null;
}

const POD_HASH = "rollouts-pod-template-hash";

/** Labels may match by accident; only the controller's own reference says whose it is, as kubectl judges too. */
function owned<T extends { readonly metadata: Meta }>(object: WorkloadObject, all: readonly T[]): readonly T[] {
  const { uid } = object.metadata;
  return all.filter(({ metadata }) => metadata.ownerReferences.some((one) => one.controller && one.uid === uid));
}
