import type { Rollout } from "../../../core/model/evidence.ts";
import type { RolloutSource } from "../../../core/ports.ts";
import type { KubernetesSourceOptions } from "./changes.ts";
import { gitOpsOwner } from "./gitops.ts";
import type { HistoryEntry, Workload } from "./history.ts";
import { type Inventory, podsOf, readInventory } from "./inventory.ts";
import { CAUSE_ANNOTATION } from "./mark.ts";
import { DEFAULT_GRACE_MS, restartsOf } from "./pods.ts";
import { replicasOf, rolloutStatus } from "./rollout-status.ts";
import { serviceOf } from "./services.ts";
import { versionOf } from "./template.ts";
import { createTimeline } from "./timeline.ts";

/**
 * What runs and what could be restored, workload by workload. A revision is listed with the number that an undo would
 * name; which of them is good is not judged here. `graceMs`: start-up grace of a pod where nothing tells it,
 * default 30 s.
 */
export function kubernetesRollouts(options: KubernetesSourceOptions & { readonly graceMs?: number }): RolloutSource {
  const { client, namespaces, services, now, graceMs = DEFAULT_GRACE_MS } = options;
  const timeline = createTimeline();
  return {
    name: client.source,
    async rollouts(abort) {
      const inventory = await readInventory(client, namespaces, abort, { events: true });
      const at = now();
      return inventory.workloads.map((workload) => {
        const startedAt = timeline.stages(workload, inventory, at).at(-1)?.startedAt ?? null;
        const service = serviceOf(workload, services);
        return rolloutOf(workload, inventory, { service, at, graceMs, startedAt });
      });
    },
  };
}

function rolloutOf(
  workload: Workload,
  inventory: Inventory,
  facts: { readonly service: string; readonly at: number; readonly graceMs: number; readonly startedAt: number | null },
): Rollout {
  const { kind, object, current, history } = workload;
  const { namespace, name } = object.metadata;
  const owner = gitOpsOwner(object.metadata);
  return {
    service: facts.service,
    workload: { kind, namespace, name },
    version: versionOf(object.spec.template),
    revision: current?.revision ?? "",
    status: rolloutStatus(workload, inventory, facts.at, facts.graceMs),
    replicas: replicasOf(workload),
    restarts: podsOf(inventory, workload).reduce((sum, pod) => sum + restartsOf(pod), 0),
    revisions: history.map((entry) => revisionOf(entry, entry === current)),
    observedAt: facts.at,
    ...(owner === null ? {} : { managedBy: owner.controller }),
    ...(facts.startedAt === null || current === null ? {} : { startedAt: facts.startedAt }),
  };
}

function revisionOf({ revision, version, meta }: HistoryEntry, current: boolean): Rollout["revisions"][number] {
  const reason = meta.annotations[CAUSE_ANNOTATION];
  return {
    revision,
    version,
    createdAt: meta.creationTimestamp ?? 0,
    current,
    ...(reason === undefined ? {} : { reason }),
  };
}
