import { type Json, type JsonObject, objectAt, sameJson, sortKeys } from "../json.ts";
import {
  type ControllerRevision,
  controllerReference,
  type DaemonSet,
  namespaceOf,
  type PodTemplate,
  type StatefulSet,
} from "../objects.ts";
import type { Registry } from "../registry.ts";
import { CONTROLLER, claimed } from "./ownership.ts";
import { hashOf } from "./template-hash.ts";

/** Label on pods that says of which revision they are. */
export const REVISION_HASH = "controller-revision-hash";

export interface Revisions {
  /** All revisions of the workload, oldest first. */
  readonly all: readonly ControllerRevision[];
  /** The one of the workload's present template. */
  readonly update: ControllerRevision;
}

/**
 * The patch that brings a workload back to this template. Its keys are in alphabetical order and absent values are
 * as a typed encoder writes them, because `kubectl rollout undo` compares its bytes to know the present revision.
 */
function revisionData(template: PodTemplate): JsonObject {
  return objectAt(sortKeys({ spec: { template: { ...template, $patch: "replace" } } } as Json));
}

/** The template that a revision holds. */
export function templateOf({ data }: ControllerRevision): PodTemplate {
  const { $patch: _, ...template } = objectAt(objectAt(data.spec).template);
  return template as unknown as PodTemplate;
}

/**
 * Sees to it that the present template has a revision, and the highest number. A template that was there before gets
 * its old revision back, renumbered: history only rolls forward.
 *
 * @param hashLabel label of the revision that holds its hash
 * @see https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/controller-revision-v1/
 */
export function syncRevisions(registry: Registry, owner: StatefulSet | DaemonSet, hashLabel: string): Revisions {
  const data = revisionData(owner.spec.template);
  const all = byRevision(claimed(registry, "controllerrevisions", owner, owner.spec.selector));
  const next = (all.at(-1)?.revision ?? 0) + 1;
  const equal = all.filter((one) => sameJson(one.data, data)).at(-1);
  if (equal === undefined) {
    const update = create(registry, owner, data, next, hashLabel);
    return { all: [...all, update], update };
  }
  if (equal === all.at(-1)) return { all, update: equal };
  const renumbered = { ...equal, revision: next };
  const update = registry.update("controllerrevisions", renumbered, CONTROLLER) as ControllerRevision;
  return { all: byRevision([...all.filter((one) => one !== equal), update]), update };
}

function byRevision(revisions: readonly ControllerRevision[]): readonly ControllerRevision[] {
  return revisions.toSorted((a, b) => a.revision - b.revision);
}

function create(
  registry: Registry,
  owner: StatefulSet | DaemonSet,
  data: JsonObject,
  revision: number,
  hashLabel: string,
): ControllerRevision {
  const namespace = namespaceOf(owner);
  for (let collisions = 0; ; collisions += 1) {
    const hash = hashOf(data, collisions);
    const name = `${owner.metadata.name}-${hash}`;
    if (registry.get("controllerrevisions", namespace, name) !== undefined) continue;
    const { annotations } = owner.metadata;
    return registry.create(
      "controllerrevisions",
      {
        apiVersion: "apps/v1",
        kind: "ControllerRevision",
        metadata: {
          name,
          namespace,
          labels: { ...owner.spec.template.metadata?.labels, [hashLabel]: hash },
          ...(annotations === undefined ? {} : { annotations }),
          ownerReferences: [controllerReference(owner)],
        },
        data,
        revision,
      },
      CONTROLLER,
    ) as ControllerRevision;
  }
}

/** Deletes the oldest revisions beyond the limit, those that `isLive` names apart. */
export function truncate(
  registry: Registry,
  owner: StatefulSet | DaemonSet,
  { all }: Revisions,
  isLive: (revision: ControllerRevision) => boolean,
): void {
  const dead = all.filter((revision) => !isLive(revision));
  const excess = dead.length - (owner.spec.revisionHistoryLimit ?? 10);
  for (const { metadata } of dead.slice(0, Math.max(0, excess)))
    registry.remove("controllerrevisions", namespaceOf(owner), metadata.name);
}
