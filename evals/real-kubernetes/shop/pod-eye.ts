import { setTimeout as wait } from "node:timers/promises";
import type { KubeApi } from "../api.ts";

/** A pod as whoever sends requests to it sees it. */
export interface SeenPod {
  readonly name: string;
  /** Its label `app`. */
  readonly service: string;
  readonly image: string;
  readonly ready: boolean;
  /** Whether its container runs: it can be scraped. */
  readonly running: boolean;
}

export interface PodEye extends AsyncDisposable {
  pods(): readonly SeenPod[];
}

interface PodObject {
  readonly metadata: {
    readonly name: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly deletionTimestamp?: string;
    readonly resourceVersion: string;
  };
  readonly spec: { readonly containers: readonly { readonly image: string }[] };
  readonly status?: {
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
    readonly containerStatuses?: readonly { readonly state?: { readonly running?: object } }[];
  };
}

const AGAIN_MS = 300;

/**
 * Follows a namespace's pods by list and watch. While the API server says nothing, what was known last goes on, as
 * endpoints do in a cluster.
 */
export function followPods(api: KubeApi, namespace: string): PodEye {
  const pods = new Map<string, SeenPod>();
  const abort = new AbortController();
  const path = `/api/v1/namespaces/${namespace}/pods`;
  const take = ({ metadata, spec, status }: PodObject) => {
    if (metadata.deletionTimestamp !== undefined) {
      pods.delete(metadata.name);
      return;
    }
    pods.set(metadata.name, {
      name: metadata.name,
      service: metadata.labels?.app ?? "",
      image: spec.containers[0]?.image ?? "",
      ready: status?.conditions?.some((one) => one.type === "Ready" && one.status === "True") === true,
      running: status?.containerStatuses?.[0]?.state?.running !== undefined,
    });
  };
  const follow = async () => {
    const { items, metadata } = await api.must("GET", path);
    pods.clear();
    for (const item of items as readonly PodObject[]) take(item);
    for await (const { type, object } of api.watch(
      `${path}?watch=1&resourceVersion=${metadata.resourceVersion}&timeoutSeconds=600`,
      abort.signal,
    )) {
      if (type === "ERROR") return;
      if (type === "DELETED") pods.delete(object.metadata.name);
      else take(object);
    }
  };
  const following = (async () => {
    while (!abort.signal.aborted) {
      await follow().catch(() => undefined);
      await wait(AGAIN_MS);
    }
  })();
  return {
    pods: () => [...pods.values()],
    async [Symbol.asyncDispose]() {
      abort.abort();
      await following;
    },
  };
}
