import type { Gap } from "../../../core/model/assessment.ts";
import type { Change } from "../../../core/model/change.ts";
import { cleanText } from "../../../core/model/untrusted-text.ts";
import type { ChangeSource } from "../../../core/ports.ts";
import { trialOf } from "./argo-rollout.ts";
import type { KubeClient } from "./client.ts";
import type { Workload } from "./history.ts";
import { readInventory } from "./inventory.ts";
import { CAUSE_ANNOTATION } from "./mark.ts";
import { replicasOf } from "./rollout-status.ts";
import { type ServiceWorkload, serviceOf } from "./services.ts";
import { templateMarks } from "./template.ts";
import { createTimeline, type Stage } from "./timeline.ts";

export interface KubernetesSourceOptions {
  readonly client: KubeClient;
  /** ["*"]: all namespaces. */
  readonly namespaces: readonly string[];
  readonly services: readonly ServiceWorkload[];
  /** Unix ms. */
  readonly now: () => number;
}

export interface KubernetesChanges extends ChangeSource {
  /** What the last answer lacked. */
  partial(): readonly Gap[];
}

/**
 * Deploys, as the history that Deployments, StatefulSets and DaemonSets keep: one change for each time that a template
 * became the current one. `timeline.ts` says how its times are known. `author` is the field manager of the write
 * ("kubectl-set", "helm", …) or the annotation unship.dev/author, `message` the annotation kubernetes.io/change-cause.
 */
export function kubernetesChanges({ client, namespaces, services, now }: KubernetesSourceOptions): KubernetesChanges {
  const timeline = createTimeline();
  let eventsRefused = false;
  return {
    name: client.source,
    partial: () => {
      const because = "the credentials may not read events, so that it is known less exactly";
      return eventsRefused ? [{ source: `${client.source} events`, what: "when a deploy began", because }] : [];
    },
    async changes(window, abort) {
      const inventory = await readInventory(client, namespaces, abort, { events: true });
      const at = now();
      eventsRefused = inventory.eventsRefused;
      return inventory.workloads
        .flatMap((workload) =>
          timeline
            .stages(workload, inventory, at)
            .flatMap((stage) => changeOf(workload, stage, services, client.source) ?? []),
        )
        .filter(({ startedAt }) => startedAt <= window.to)
        .filter(
          ({ startedAt, finishedAt }) => startedAt >= window.from || finishedAt === null || finishedAt >= window.from,
        )
        .toSorted((a, b) => a.startedAt - b.startedAt);
    },
  };
}

function changeOf(
  workload: Workload,
  { revision, entry, previous, startedAt, finishedAt, own, author }: Stage,
  services: readonly ServiceWorkload[],
  source: string,
): Change | null {
  if (startedAt === null) return null;
  const { namespace, name } = workload.object.metadata;
  const marks = { ...templateMarks(entry.template).annotations, ...entry.meta.annotations };
  const by = own === null ? (marks["unship.dev/author"] ?? author) : "unship";
  const commit = COMMIT_ANNOTATIONS.map((key) => marks[key]).find((one) => one !== undefined);
  const message = marks[CAUSE_ANNOTATION];
  const share = shareOf(workload, entry);
  return {
    id: `deploy:${namespace}/${name}:${entry.meta.name}:${revision}`,
    kind: "deploy",
    service: serviceOf(workload, services),
    from: previous?.version ?? "",
    to: entry.version,
    startedAt,
    finishedAt,
    source,
    reversible: previous !== null && previous !== entry,
    workload: { kind: workload.kind, namespace, name },
    toRevision: revision,
    ...(previous === null ? {} : { fromRevision: previous.revision }),
    // Texts of others are cleaned and redacted where they enter: `kubectl --record` writes whole command lines (S10, S11).
    ...(by === null ? {} : { author: cleanText(by) }),
    ...(commit === undefined ? {} : { commit }),
    ...(message === undefined ? {} : { message: cleanText(message) }),
    ...(share === null ? {} : { canary: share }),
    ...(own === null ? {} : { ownRollback: true }),
  };
}

/** The share of an Argo Rollout's traffic that a version on trial gets: by its router, else by its part of the pods. */
function shareOf(workload: Workload, entry: Stage["entry"]): number | null {
  const trial = trialOf(workload);
  if (trial === null || trial.aborted || trial.newest !== entry) return null;
  const { updated } = replicasOf(workload);
  const all = workload.object.status.replicas;
  return trial.share ?? (all === 0 ? 0 : Math.min(1, updated / all));
}

/**
 * Where the commit of a deploy is written down. The second is OCI's key for images, which pipelines copy to objects;
 * the third is OpenShift's.
 *
 * @see https://github.com/opencontainers/image-spec/blob/main/annotations.md
 * @see https://docs.openshift.com/container-platform/latest/applications/odc-viewing-application-composition-using-topology-view.html
 */
const COMMIT_ANNOTATIONS = [
  "unship.dev/commit",
  "org.opencontainers.image.revision",
  "app.openshift.io/vcs-ref",
] as const;
