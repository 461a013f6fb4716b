import { setTimeout as wait } from "node:timers/promises";
import { z } from "zod";
import { UnshipError } from "../../../core/errors.ts";
import { createHttp, type Http, type Path, path } from "../http.ts";
import type { ClusterAccess } from "./kubeconfig.ts";

/** The collections that unship reads, by the kind of their objects. */
const COLLECTIONS = {
  Deployment: ["/apis/apps/v1", "deployments"],
  StatefulSet: ["/apis/apps/v1", "statefulsets"],
  DaemonSet: ["/apis/apps/v1", "daemonsets"],
  Rollout: ["/apis/argoproj.io/v1alpha1", "rollouts"],
  ReplicaSet: ["/apis/apps/v1", "replicasets"],
  ControllerRevision: ["/apis/apps/v1", "controllerrevisions"],
  Pod: ["/api/v1", "pods"],
  Event: ["/api/v1", "events"],
  Service: ["/api/v1", "services"],
  ConfigMap: ["/api/v1", "configmaps"],
} as const;
export type ReadableKind = keyof typeof COLLECTIONS;

/** Those with a pod template and a history of it: what `kubectl rollout` knows, and Argo Rollouts' Rollout. */
export const WORKLOAD_KINDS = ["Deployment", "StatefulSet", "DaemonSet", "Rollout"] as const;
export type WorkloadKind = (typeof WORKLOAD_KINDS)[number];

export interface ListOptions {
  readonly labels?: Readonly<Record<string, string>>;
  /** "reason=ScalingReplicaSet": a server that does not know it answers with more. */
  readonly fields?: string;
  /** Objects without anything but their metadata, which a server that does not know of it passes over. */
  readonly metadataOnly?: boolean;
}

export interface Patch {
  readonly contentType: "application/json-patch+json" | "application/strategic-merge-patch+json";
  readonly body: unknown;
}

/**
 * A Kubernetes API server, as raw JSON: what a schema does not name stays in the object. Throws as `Http` does. A read that
 * flow control turns away is tried again when the server says, twice at most; a write is not.
 */
export interface KubeClient {
  readonly source: string;
  get<T>(kind: ReadableKind, namespace: string, name: string, schema: z.ZodType<T>, abort: AbortSignal): Promise<T>;
  /** All objects of a kind, page by page. `namespace` "*": of all namespaces. */
  list<T>(
    kind: ReadableKind,
    namespace: string,
    schema: z.ZodType<T>,
    abort: AbortSignal,
    options?: ListOptions,
  ): Promise<readonly T[]>;
  /**
   * The object as it stands after the patch; with `dryRun` as it would stand. Its write is signed "unship". With
   * `status` the patch is of the status, and of nothing else.
   */
  patch<T>(
    kind: WorkloadKind,
    namespace: string,
    name: string,
    patch: Patch,
    schema: z.ZodType<T>,
    options: { readonly dryRun: boolean; readonly status?: boolean },
    abort: AbortSignal,
  ): Promise<T>;
  /** Deletes an object if it still is exactly this one; throws "source.conflict" where it is not, and nothing happened. */
  remove(
    kind: ReadableKind,
    namespace: string,
    name: string,
    exactly: { readonly uid: string; readonly resourceVersion: string },
    abort: AbortSignal,
  ): Promise<void>;
  /**
   * Whether the credential may do this; null where the server cannot tell: it has no such question, refuses it, or
   * failed at it. `namespace` "*": in every one. Writes nothing.
   * @see https://kubernetes.io/docs/reference/access-authn-authz/authorization/#checking-api-access
   */
  mayI(question: AccessQuestion, abort: AbortSignal): Promise<boolean | null>;
  /** Names of all namespaces; null where the credential may not list them. */
  namespaces(abort: AbortSignal): Promise<readonly string[] | null>;
  close(): Promise<void>;
}

export interface AccessQuestion {
  readonly verb: string;
  /** "" for the core group. */
  readonly group: string;
  readonly resource: string;
  /** "scale", "exec", …; absent: the object itself. */
  readonly subresource?: string;
  readonly namespace: string;
}

/** The name under which our writes stand in an object's managedFields. */
export const FIELD_MANAGER = "unship";

/** As `kubectl get` pages by default. */
const PAGE = 500;
/**
 * Of one list, all its pages together: 15 pods for each of 1,000 services, at up to 450 values and 9 KB a pod (with its
 * managedFields), and a fifth more. A page alone is never so large: an object has at most 1.5 MiB (etcd's limit).
 */
const LIST = { maxBytes: 256 * 1024 * 1024, maxValues: 8 * 1024 * 1024 };
/** The most pods that a cluster is built for. @see https://kubernetes.io/docs/setup/best-practices/cluster-large/ */
const MOST_OBJECTS = 150_000;
const NARROW = "name fewer namespaces, or the large ones one by one, under its namespaces";

/** @see https://kubernetes.io/docs/reference/using-api/api-concepts/ */
export function kubeClient(
  access: ClusterAccess,
  options: { readonly timeoutMs?: number; readonly pageSize?: number } = {},
): KubeClient {
  const source = "kubernetes";
  const { pageSize = PAGE, ...rest } = options;
  const http = createHttp({ source, base: access.server, narrow: NARROW, ...LIST, ...access.http, ...rest });
  return {
    source,
    async get(kind, namespace, name, schema, abort) {
      return whenLetIn(() => http.getJson(objectPath(kind, namespace, name), schema, abort), abort);
    },
    async list(kind, namespace, schema, abort, filter = {}) {
      try {
        return await pages(http, kind, namespace, schema, abort, { ...filter, pageSize });
      } catch (error) {
        // 410: the continuation expired between two pages; the list is read again from its start.
        if (!(error instanceof UnshipError) || error.facts.status !== 410) throw error;
        return pages(http, kind, namespace, schema, abort, { ...filter, pageSize });
      }
    },
    async patch(kind, namespace, name, { contentType, body }, schema, { dryRun, status = false }, abort) {
      const query = `?fieldManager=${FIELD_MANAGER}${dryRun ? "&dryRun=All" : ""}`;
      const to = `${objectPath(kind, namespace, name)}${status ? "/status" : ""}${query}` as Path;
      return (await http.send("PATCH", to, body, contentType, schema, abort)).body;
    },
    async remove(kind, namespace, name, preconditions, abort) {
      const options = { apiVersion: "v1", kind: "DeleteOptions", preconditions };
      const to = objectPath(kind, namespace, name);
      await http.send("DELETE", to, options, "application/json", z.looseObject({}), abort);
    },
    async mayI({ namespace, ...what }, abort) {
      const resourceAttributes = { ...what, namespace: namespace === "*" ? "" : namespace };
      const [apiVersion, kind] = ["authorization.k8s.io/v1", "SelfSubjectAccessReview"];
      const question = { apiVersion, kind, spec: { resourceAttributes } };
      try {
        const { body } = await http.send("POST", REVIEWS, question, "application/json", Review, abort);
        // "No opinion" of an authoriser that failed is not "no".
        const failed = !body.status.allowed && (body.status.evaluationError ?? "") !== "";
        return failed ? null : body.status.allowed;
      } catch (error) {
        const untold = error instanceof UnshipError && ["source.not_found", "source.refused"].includes(error.code);
        if (untold) return null;
        throw error;
      }
    },
    async namespaces(abort) {
      const bounds = { what: "namespaces", most: MOST_OBJECTS, pageSize };
      try {
        return await http.pages("", bounds, async (at, spent) => {
          const query = [`limit=${pageSize}`, ...(at === "" ? [] : [`continue=${encodeURIComponent(at)}`])].join("&");
          const where = `/api/v1/namespaces?${query}` as Path;
          const page = await whenLetIn(() => http.getJson(where, NamespacePage, abort, { spent }), abort);
          return { items: page.items.map(({ metadata }) => metadata.name), next: page.metadata?.continue || null };
        });
      } catch (error) {
        const untold = error instanceof UnshipError && ["source.not_found", "source.refused"].includes(error.code);
        if (untold) return null;
        throw error;
      }
    },
    close: () => http.close(),
  };
}

const NamespacePage = z.looseObject({
  metadata: z.looseObject({ continue: z.string().nullish() }).nullish(),
  items: z.array(z.looseObject({ metadata: z.looseObject({ name: z.string() }) })),
});

const REVIEWS = path`/apis/authorization.k8s.io/v1/selfsubjectaccessreviews`;
const Review = z.looseObject({
  status: z.looseObject({ allowed: z.boolean(), evaluationError: z.string().nullish() }),
});

/** @see https://kubernetes.io/docs/reference/using-api/api-concepts/#receiving-resources-as-metadata */
const METADATA_ONLY = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json";

async function pages<T>(
  http: Http,
  kind: ReadableKind,
  namespace: string,
  schema: z.ZodType<T>,
  abort: AbortSignal,
  filter: ListOptions & { readonly pageSize: number },
): Promise<readonly T[]> {
  const Page = z.looseObject({
    metadata: z.looseObject({ continue: z.string().nullish() }).nullish(),
    items: z
      .array(schema)
      .nullish()
      .transform((items) => items ?? []),
  });
  const accept = filter.metadataOnly ? { accept: METADATA_ONLY } : {};
  const bounds = { what: "objects", most: MOST_OBJECTS, pageSize: filter.pageSize };
  return http.pages("", bounds, async (at, spent) => {
    const path = collectionPath(kind, namespace, filter, at);
    const page = await whenLetIn(() => http.getJson(path, Page, abort, { ...accept, spent }), abort);
    return { items: page.items, next: page.metadata?.continue || null };
  });
}

/** How often a read is tried that flow control turns away, and the longest wait that is worth it. */
const TRIES = 3;
const LONGEST_WAIT_SECONDS = 5;

/**
 * A read of a server that may have no seat for it: 429 with the seconds to wait, which nothing was done for.
 * @see https://kubernetes.io/docs/concepts/cluster-administration/flow-control/
 */
async function whenLetIn<T>(ask: () => Promise<T>, abort: AbortSignal): Promise<T> {
  for (let tried = 1; ; tried += 1) {
    try {
      return await ask();
    } catch (error) {
      const seconds = error instanceof UnshipError && error.facts.status === 429 ? error.facts.retryAfterSeconds : null;
      if (tried === TRIES || typeof seconds !== "number" || seconds > LONGEST_WAIT_SECONDS) throw error;
      const isOver = await wait(1000 * seconds, false, { signal: abort }).catch(() => true);
      if (isOver) throw error;
    }
  }
}

function collectionPath(
  kind: ReadableKind,
  namespace: string,
  filter: ListOptions & { readonly pageSize: number },
  next: string,
): Path {
  const [api, plural] = COLLECTIONS[kind];
  const place = namespace === "*" ? "" : path`/namespaces/${namespace}`;
  const labels = Object.entries(filter.labels ?? {}).map(([key, value]) => `${key}=${value}`);
  const query = [
    ["labelSelector", labels.join(",")],
    ["fieldSelector", filter.fields ?? ""],
    ["limit", String(filter.pageSize)],
    ["continue", next],
  ].flatMap(([key, value]) => (value === "" ? [] : [`${key}=${encodeURIComponent(value ?? "")}`]));
  return `${api}${place}/${plural}?${query.join("&")}` as Path;
}

function objectPath(kind: ReadableKind, namespace: string, name: string): Path {
  const [api, plural] = COLLECTIONS[kind];
  return `${api}${path`/namespaces/${namespace}`}/${plural}${path`/${name}`}` as Path;
}
