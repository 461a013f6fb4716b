import type { Rollout } from "../../../core/model/evidence.ts";
import { cleanText } from "../../../core/model/untrusted-text.ts";
import type { RolloutSource } from "../../../core/ports.ts";
import { trialOf } from "./argo-rollout.ts";
import type { KubernetesSourceOptions } from "./changes.ts";
import { gitOpsOwner } from "./gitops.ts";
import type { HistoryEntry, Workload } from "./history.ts";
import { type Inventory, podsOf, readInventory } from "./inventory.ts";
import { causeOf, isOwn } from "./mark.ts";
import { DEFAULT_GRACE_MS, restartsOf } from "./pods.ts";
import { createReadinessMemory } from "./readiness-memory.ts";
import { replicasOf, rolloutStatus } from "./rollout-status.ts";
import { serviceOf } from "./services.ts";
import { versionOf } from "./template.ts";
import { createTimeline, type Stage } from "./timeline.ts";

/**
 * What runs and what could be restored, workload by workload. A revision is listed with the number that an undo would
 * name; which of them is good is not judged here. `graceMs`: start-up grace of a pod where nothing tells it,
 * default 30 s.
 */
export function kubernetesRollouts(options: KubernetesSourceOptions & { readonly graceMs?: number }): RolloutSource {
  const { client, namespaces, services, now, graceMs = DEFAULT_GRACE_MS } = options;
  const timeline = createTimeline();
  const readiness = createReadinessMemory();
  return {
    name: client.source,
    async rollouts(abort) {
      const inventory = await readInventory(client, namespaces, abort, { events: true });
      const at = now();
      return inventory.workloads.map((workload) => {
        const stages = timeline.stages(workload, inventory, at);
        const service = serviceOf(workload, services);
        const becameReady = readiness.look(workload, inventory);
        return rolloutOf(workload, inventory, { service, at, graceMs, stages, becameReady });
      });
    },
  };
}

function rolloutOf(
  workload: Workload,
  inventory: Inventory,
  facts: {
    readonly service: string;
    readonly at: number;
    readonly graceMs: number;
    readonly stages: readonly Stage[];
    readonly becameReady: (entry: HistoryEntry) => boolean | undefined;
  },
): Rollout {
  const { kind, object, current, history } = workload;
  const { namespace, name } = object.metadata;
  const owner = gitOpsOwner(object.metadata);
  const trial = trialOf(workload);
  const serving = trial?.aborted ? trial.stable : current;
  const startedAt = facts.stages.at(-1)?.startedAt ?? null;
  return {
    service: facts.service,
    workload: { kind, namespace, name },
    version: serving?.version ?? versionOf(object.spec.template),
    revision: serving?.revision ?? "",
    status: rolloutStatus(workload, inventory, facts.at, facts.graceMs),
    replicas: replicasOf(workload),
    restarts: podsOf(inventory, workload).reduce((sum, pod) => sum + restartsOf(pod), 0),
    revisions: history.map((entry) =>
      revisionOf(entry, entry === serving, servedMs(entry, facts.stages), facts.becameReady(entry)),
    ),
    observedAt: facts.at,
    ...(owner === null ? {} : { managedBy: owner.controller }),
    ...(trial === null || trial.aborted
      ? {}
      : { stable: { version: trial.stable.version, revision: trial.stable.revision } }),
    ...(startedAt === null || current === null ? {} : { startedAt }),
  };
}

function revisionOf(
  { revision, version, meta, template }: HistoryEntry,
  current: boolean,
  servedMs: number | undefined,
  becameReady: boolean | undefined,
): Rollout["revisions"][number] {
  const reason = causeOf(meta, (mark) => isOwn(mark, revision, template));
  return {
    revision,
    version,
    createdAt: meta.creationTimestamp ?? 0,
    current,
    ...(reason === undefined ? {} : { reason: cleanText(reason) }),
    ...(servedMs === undefined ? {} : { servedMs }),
    ...(becameReady === undefined ? {} : { becameReady }),
  };
}

/** The longest of the times that this template was the current one and has been replaced since, where both ends are known. */
function servedMs(entry: HistoryEntry, stages: readonly Stage[]): number | undefined {
  const times = stages.flatMap((stage, index) => {
    const end = stages[index + 1]?.startedAt ?? null;
    return stage.entry !== entry || stage.startedAt === null || end === null ? [] : [end - stage.startedAt];
  });
  return times.length === 0 ? undefined : Math.max(...times);
}
