import type { Gap, GapKind } from "../../../core/model/assessment.ts";
import type { Change } from "../../../core/model/change.ts";
import { cleanText } from "../../../core/model/untrusted-text.ts";
import type { ChangeSource, InfrastructureSource } from "../../../core/ports.ts";
import { trialOf } from "./argo-rollout.ts";
import { broughtBy } from "./brought-by.ts";
import { deployId } from "./change-id.ts";
import type { KubeClient } from "./client.ts";
import { type ConfigEdit, createConfigEdits, editChanges, editedWith } from "./config-maps.ts";
import { createEvictions } from "./evictions.ts";
import type { Workload } from "./history.ts";
import { readInventory } from "./inventory.ts";
import { causeOf, type Mark, ownCauseOf } from "./mark.ts";
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
  /** What the same readings tell of nodes. */
  readonly infrastructure: InfrastructureSource;
  /** What the last answer lacked. */
  partial(): readonly Gap[];
}

/**
 * Deploys, as the history that Deployments, StatefulSets and DaemonSets keep: one change for each time that a template
 * became the current one. `timeline.ts` says how its times are known. `author` is the field manager of the write
 * ("kubectl-set", "helm", …) or the annotation unship.dev/author, `message` the annotation kubernetes.io/change-cause.
 * ConfigMaps that were edited in place are changes of those who mount them; `config-maps.ts` says how they are known.
 */
export function kubernetesChanges({ client, namespaces, services, now }: KubernetesSourceOptions): KubernetesChanges {
  const timeline = createTimeline();
  const evictions = createEvictions(client.source, now);
  const configs = createConfigEdits(client);
  let eventsRefused = false;
  let mapsRefused = false;
  return {
    name: client.source,
    infrastructure: evictions,
    partial: () => [
      ...(eventsRefused
        ? [gap(client, "change-times", "events", "when a deploy began", "so that it is known less exactly")]
        : []),
      ...(mapsRefused
        ? [gap(client, "changes", "configmaps", "ConfigMaps edited in place", "so that none is a suspect")]
        : []),
    ],
    async changes(window, abort) {
      const inventory = await readInventory(client, namespaces, abort, { events: true });
      const at = now();
      const edits = await configs.edits(inventory.workloads, at, abort);
      evictions.see(inventory.pods);
      eventsRefused = inventory.eventsRefused;
      mapsRefused = edits === null;
      const all = inventory.workloads.map((workload) => ({
        workload,
        stages: timeline.stages(workload, inventory, at),
      }));
      const deploys = all.flatMap(({ workload, stages }) =>
        stages.flatMap((stage) => changeOf(workload, stage, services, client.source, edits ?? []) ?? []),
      );
      const stagesOf = new Map(all.map(({ workload, stages }) => [workload, stages]));
      const edited = editChanges(edits ?? [], inventory.workloads, {
        serviceOf: (workload) => serviceOf(workload, services),
        deploysOf: (workload) => (stagesOf.get(workload) ?? []).flatMap(({ startedAt }) => startedAt ?? []),
        source: client.source,
        now: at,
      });
      return [...deploys, ...edited]
        .filter(({ startedAt }) => startedAt <= window.to)
        .filter(
          ({ startedAt, finishedAt }) => startedAt >= window.from || finishedAt === null || finishedAt >= window.from,
        )
        .toSorted((a, b) => a.startedAt - b.startedAt);
    },
  };
}

const gap = ({ source }: KubeClient, of: GapKind, kind: string, what: string, so: string): Gap => ({
  of,
  how: "partial",
  source: `${source} ${kind}`,
  what,
  because: `the credentials may not read ${kind}, ${so}`,
});

function changeOf(
  workload: Workload,
  { revision, entry, previous, startedAt, finishedAt, endUnseen, own, author }: Stage,
  services: readonly ServiceWorkload[],
  source: string,
  edits: readonly ConfigEdit[],
): Change | null {
  if (startedAt === null) return null;
  const { namespace, name } = workload.object.metadata;
  const marks = { ...templateMarks(entry.template).annotations, ...entry.meta.annotations };
  const by = own === null ? (marks["unship.dev/author"] ?? author) : "unship";
  const commit = COMMIT_ANNOTATIONS.map((key) => marks[key]).find((one) => one !== undefined);
  const message = messageOf(workload, entry, own);
  const share = shareOf(workload, entry);
  const brought = [
    ...broughtBy(entry.template, previous?.template ?? null, namespace),
    ...(previous === null ? [] : editedWith(edits, workload, startedAt)),
  ];
  return {
    id: deployId({ namespace, name }, entry.meta.name, revision),
    kind: "deploy",
    service: serviceOf(workload, services),
    from: previous?.version ?? "",
    to: entry.version,
    startedAt,
    finishedAt,
    ...(endUnseen ? { endUnseen } : {}),
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
    ...(brought.length === 0 ? {} : { releasedBy: brought }),
    ...(own === null ? {} : { ownRollback: true }),
  };
}

/** Our own rollback's cause is where its mark is, which need not be the entry that came back. */
function messageOf(
  { object, history }: Workload,
  { meta, template }: Stage["entry"],
  own: Mark | null,
): string | undefined {
  if (own === null)
    return causeOf(meta, () => false) ?? causeOf({ annotations: templateMarks(template).annotations }, () => false);
  const isThis = (mark: Mark): boolean => mark.key === own.key && mark.revision === own.revision;
  const metas = [meta, object.metadata, ...history.map((one) => one.meta)];
  return metas.map((one) => ownCauseOf(one, isThis)).find((text) => text !== undefined);
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
