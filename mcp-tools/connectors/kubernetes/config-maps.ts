import { UnshipError } from "../../../core/errors.ts";
import type { Change, WorkloadRef } from "../../../core/model/change.ts";
import { rfc3339 } from "../../../core/model/time.ts";
import { cleanText } from "../../../core/model/untrusted-text.ts";
import type { KubeClient } from "./client.ts";
import type { Workload } from "./history.ts";
import { ConfigMapMeta } from "./objects.ts";
import { configsOf, mountedConfigsOf } from "./template.ts";

/** One time that the content of a ConfigMap was written after it had been made. Unix ms. */
export interface ConfigEdit {
  readonly map: WorkloadRef;
  readonly at: number;
  /** When this process first saw it, by its own clock: the cluster's may be ahead. */
  readonly seenAt: number;
  readonly by: string;
}

export interface ConfigEdits {
  /** What is known of ConfigMaps that these workloads read, oldest first; null: the credentials may not list them. */
  edits(workloads: readonly Workload[], now: number, abort: AbortSignal): Promise<readonly ConfigEdit[] | null>;
}

/** As many as of stages (see `timeline.ts`) would be too many: people edit ConfigMaps less often than they deploy. */
const REMEMBERED = 10_000;

/**
 * Edits of ConfigMaps in place, by the times that an object's managed fields keep of writes to its data: the last one of each
 * writer, and those before it that this process saw. Only metadata is asked for, so that no content leaves the cluster; a
 * Secret cannot be listed without its content being open to whoever may, and is never asked for. What no workload's template
 * names is passed over.
 *
 * @see https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management
 * @see https://kubernetes.io/docs/reference/using-api/api-concepts/#receiving-resources-as-metadata
 */
export function createConfigEdits(client: KubeClient): ConfigEdits {
  const seen = new Map<string, ConfigEdit>();
  return {
    async edits(workloads, now, abort) {
      const named = new Set(
        workloads.flatMap(({ object: { metadata, spec } }) =>
          configsOf(spec.template).map((config) => `${config} ${metadata.namespace}`),
        ),
      );
      const namespaces = new Set(
        [...named].filter((one) => one.startsWith("ConfigMap ")).map((one) => one.split(" ")[2] ?? ""),
      );
      let isRefused = false;
      for (const namespace of namespaces) {
        const maps = await listIn(client, namespace, abort);
        if (maps === null) isRefused = true;
        for (const { metadata } of maps ?? []) {
          const { name, uid, creationTimestamp = 0, managedFields } = metadata;
          if (!named.has(`ConfigMap ${name} ${namespace}`)) continue;
          for (const { manager, time, fieldsV1 } of managedFields) {
            if (time === undefined || time <= creationTimestamp || !ownsData(fieldsV1)) continue;
            const key = `${uid}:${time}`;
            const seenAt = seen.get(key)?.seenAt ?? now;
            seen.set(key, { map: { kind: "ConfigMap", namespace, name }, at: time, seenAt, by: cleanText(manager) });
          }
        }
      }
      for (const key of seen.keys()) if (seen.size > REMEMBERED) seen.delete(key);
      return isRefused ? null : [...seen.values()].toSorted((a, b) => a.at - b.at);
    },
  };
}

const ownsData = (fields: unknown): boolean =>
  typeof fields === "object" && fields !== null && ("f:data" in fields || "f:binaryData" in fields);

async function listIn(client: KubeClient, namespace: string, abort: AbortSignal) {
  try {
    return await client.list("ConfigMap", namespace, ConfigMapMeta, abort, { metadataOnly: true });
  } catch (error) {
    if (error instanceof UnshipError && ["source.refused", "source.not_found"].includes(error.code)) return null;
    throw error;
  }
}

/**
 * How long an edit waits for the deploys that its writer makes with it (a chart writes its ConfigMaps first): what they carry
 * is no change beside them. A mounted file follows its ConfigMap within the kubelet's sync period, a minute by default.
 * @see https://kubernetes.io/docs/concepts/configuration/configmap/#mounted-configmaps-are-updated-automatically
 */
const WAITS_MS = 30_000;
const FOLLOWS_MS = 120_000;

/**
 * The edits that running pods read by themselves: one change for each service that mounts the ConfigMap and was not
 * deployed with it. Nothing in a cluster keeps what stood before, so that none can be undone from here.
 * `deploysOf`: when the workload's templates changed, Unix ms.
 */
export function editChanges(
  edits: readonly ConfigEdit[],
  workloads: readonly Workload[],
  {
    serviceOf,
    deploysOf,
    source,
    now,
  }: {
    readonly serviceOf: (workload: Workload) => string;
    readonly deploysOf: (workload: Workload) => readonly number[];
    readonly source: string;
    readonly now: number;
  },
): readonly Change[] {
  const changes = edits.flatMap((edit) => {
    // A cluster whose clock is ahead dates it later than when it was seen.
    const since = Math.min(edit.at, edit.seenAt);
    if (now - since < WAITS_MS) return [];
    const readers = workloads.filter(
      (workload) => mounts(workload, edit) && !deploysOf(workload).some((at) => isWith(edit, at)),
    );
    const services = [...new Set(readers.map(serviceOf))];
    const { namespace, name } = edit.map;
    return services.map(
      (service): Change => ({
        id: `config:${namespace}/${name}:${edit.at}:${service}`,
        kind: "config",
        service,
        from: "",
        to: `${name} as of ${rfc3339(edit.at)}`,
        startedAt: edit.at,
        finishedAt: now < since + FOLLOWS_MS ? null : edit.at + FOLLOWS_MS,
        source,
        reversible: false,
        ...(edit.by === "" ? {} : { author: edit.by }),
        workload: edit.map,
      }),
    );
  });
  return changes;
}

/** The ConfigMaps of a deploy that were edited with it. */
export function editedWith(
  edits: readonly ConfigEdit[],
  { object: { metadata, spec } }: Workload,
  startedAt: number,
): readonly WorkloadRef[] {
  const read = new Set(configsOf(spec.template));
  return edits
    .filter(({ map }) => map.namespace === metadata.namespace && read.has(`ConfigMap ${map.name}`))
    .filter((edit) => isWith(edit, startedAt))
    .map(({ map }) => map);
}

/** A deploy shortly after an edit, or at it, carries it. */
const isWith = ({ at }: ConfigEdit, deployedAt: number): boolean =>
  deployedAt >= at - EARLY_MS && deployedAt <= at + FOLLOWS_MS;
/** Times of two objects, each in whole seconds. */
const EARLY_MS = 2_000;

const mounts = ({ object: { metadata, spec } }: Workload, { map }: ConfigEdit): boolean =>
  metadata.namespace === map.namespace && mountedConfigsOf(spec.template).includes(`ConfigMap ${map.name}`);
